// SPDX-License-Identifier: Apache-2.0
// From a plan of an image back to the guests that it was made for: the way of makePlan() in the
// other direction. What no compiler makes gives no guests.

import { PAGE_SIZE } from "../../contract/limits.js";
import { XEN_DOMCTL_CDF_host_ends, XEN_DOMCTL_CDF_xen_log } from "../../contract/xen-abi.js";
import type { DomainDescription } from "../description/description.js";
import { readContext, readStartOfDay } from "../explain/start.js";
import type { PlacedBytes } from "../guest/guest.js";
import type { GuestPage } from "../guest/kernel-pages.js";
import { DEFAULT_BOARD, platformOf } from "../guest/platforms.js";
import { readTold, type Told } from "../guest/told.js";
import type { DecodedPlan } from "../image/decode-image.js";
import type { PlannedGuest } from "../plan/make-plan.js";
import type { PlanDomain, PlanOperation } from "../plan/plan.js";
import { rolesOf } from "../plan/roles.js";

/** A guest of an image, where its kernel is entered, and what it is told of its links. */
export interface ReadGuest extends PlannedGuest {
  readonly entry: number;
  readonly told: readonly Told[];
}

/** The plan's guests in its order; undefined when one of them is not to be read. */
export function readGuests(
  decoded: DecodedPlan,
  recovery: boolean,
): readonly ReadGuest[] | undefined {
  const guests: ReadGuest[] = [];
  const known = new Map<string, readonly GuestPage[]>();
  for (const [index, domain] of decoded.plan.domains.entries()) {
    const guest = readGuest(decoded, index, domain, recovery);
    if (guest === undefined) return undefined;
    // Domains with one kernel share its pages, as they do when they are compiled.
    const key = JSON.stringify(kernelOperations(decoded, index, guest.ramdiskFrame));
    const kernel = known.get(key) ?? guest.planned.guest.kernel;
    known.set(key, kernel);
    guests.push({ ...guest.planned, guest: { ...guest.planned.guest, kernel } });
  }
  return guests;
}

function operationsOf({ plan }: DecodedPlan, domain: number): readonly PlanOperation[] {
  return plan.steps
    .filter((step) => step.domain === domain)
    .flatMap(({ firstOperation, operationCount }) =>
      plan.operations.slice(firstOperation, firstOperation + operationCount),
    );
}

/** What fills the kernel's pages: copies and clears of the first step, but for the ramdisk's. */
function kernelOperations(
  decoded: DecodedPlan,
  domain: number,
  ramdiskFrame: number | undefined,
): readonly FillOperation[] {
  const made = decoded.plan.steps.find((step) => step.domain === domain);
  if (made === undefined) return [];
  return decoded.plan.operations
    .slice(made.firstOperation, made.firstOperation + made.operationCount)
    .filter((operation) => isFill(operation))
    .filter((operation) => operation.kind === "clear" || operation.frame !== ramdiskFrame);
}

type FillOperation = Extract<PlanOperation, { kind: "copy" | "clear" }>;

function isFill(operation: PlanOperation): operation is FillOperation {
  return operation.kind === "copy" || operation.kind === "clear";
}

interface Read {
  readonly planned: ReadGuest;
  readonly ramdiskFrame: number | undefined;
}

function readGuest(
  decoded: DecodedPlan,
  index: number,
  record: PlanDomain,
  recovery: boolean,
): Read | undefined {
  const operations = operationsOf(decoded, index);
  const bytesOf = (material: number) => decoded.materials[material] ?? new Uint8Array();
  const placedAt = (frame: number): PlacedBytes | undefined => {
    const copy = operations.find((one) => one.kind === "copy" && one.frame === frame);
    return copy?.kind === "copy" ? { frame, bytes: bytesOf(copy.material) } : undefined;
  };
  const vcpuContexts = operations.flatMap((operation) =>
    operation.kind === "setContext" ? [bytesOf(operation.material)] : [],
  );
  const start = readContext(decoded.architecture, vcpuContexts.at(-1) ?? new Uint8Array());
  if (start === undefined) return undefined;
  const startOfDay = placedAt(start.startInfo / PAGE_SIZE);
  if (startOfDay === undefined) return undefined;
  const { cmdline, ramdiskAddress } = readStartOfDay(
    decoded.architecture,
    startOfDay.bytes,
    start.startInfo,
  );
  const ramdiskFrame = ramdiskAddress === undefined ? undefined : ramdiskAddress / PAGE_SIZE;
  const ramdisk = ramdiskFrame === undefined ? undefined : placedAt(ramdiskFrame);
  if (cmdline === undefined) return undefined;
  const { names, operations: later } = orderOf(decoded, index);
  const { own, told } = readTold(cmdline);
  const domain = { ...domainOf(record, own), recovery, after: names };
  // Where memory is does not depend on the board.
  const { memoryRanges } = platformOf(decoded.architecture, DEFAULT_BOARD);
  return {
    planned: {
      ...{ domain, told },
      label: record.label,
      entry: start.entry,
      guest: {
        memory: memoryRanges(domain.memoryBytes),
        kernel: kernelOperations(decoded, index, ramdiskFrame).flatMap((operation) =>
          pagesFilledBy(operation, bytesOf),
        ),
        ramdisk,
        startOfDay,
        vcpuContexts,
        devices: record.devices,
        sharedInterrupts: record.sharedInterrupts,
      },
      wiring: { ...record, operations: later.filter(({ kind }) => wiringKinds.has(kind)) },
      processors: {
        cpuPool: record.cpuPool,
        pool: operations.filter(({ kind }) => kind === "createPool" || kind === "moveCpu"),
        placement: operations.filter(({ kind }) => kind === "setAffinity" || kind === "setShare"),
      },
    },
    ramdiskFrame,
  };
}

const zeroPage = Buffer.alloc(PAGE_SIZE);

function pagesFilledBy(
  operation: FillOperation,
  bytesOf: (material: number) => Uint8Array,
): readonly GuestPage[] {
  return Array.from({ length: operation.count }, (_, page) => {
    const frame = operation.frame + page;
    if (operation.kind === "clear") return { frame, bytes: undefined };
    const offset = operation.offset + page * PAGE_SIZE;
    const bytes = bytesOf(operation.material).subarray(offset, offset + PAGE_SIZE);
    return { frame, bytes: zeroPage.equals(bytes) ? undefined : bytes };
  });
}

const wiringKinds: ReadonlySet<PlanOperation["kind"]> = new Set(["clear", "openChannel", "grant"]);

/** What a domain waits for, and the operations of its later steps: those that differ between domains. */
function orderOf({ plan }: DecodedPlan, domain: number) {
  const [, ...steps] = plan.steps.filter((step) => step.domain === domain);
  const guards = steps.flatMap(({ firstGuard, guardCount }) =>
    plan.guards.slice(firstGuard, firstGuard + guardCount),
  );
  return {
    names: guards.flatMap((guard) => plan.domains[guard]?.name ?? []),
    operations: steps.flatMap(({ firstOperation, operationCount }) =>
      plan.operations.slice(firstOperation, firstOperation + operationCount),
    ),
  };
}

function domainOf(
  record: PlanDomain,
  cmdline: string,
): Omit<DomainDescription, "recovery" | "after"> {
  const { name, domid, vcpus, memoryPages, createFlags, label } = record;
  return {
    ...{ name, domid, vcpus, cmdline, type: "pvh" },
    kernel: "its kernel in the image",
    memoryBytes: memoryPages * PAGE_SIZE,
    output: (createFlags & XEN_DOMCTL_CDF_xen_log) === 0 ? "none" : "xen-log",
    onDeath: (createFlags & XEN_DOMCTL_CDF_host_ends) === 0 ? "leave" : "reboot",
    roles: rolesOf(createFlags),
    ready: { when: record.readiness, withinMs: record.readyWithin },
    onFailure: record.onFailure,
    ...(label === "" ? {} : { label }),
  };
}
