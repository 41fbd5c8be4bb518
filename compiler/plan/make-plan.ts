// SPDX-License-Identifier: Apache-2.0
// From guests to the launch plan. Three steps for each domain: make it and fill it with kernel and
// ramdisk; tell it its start of day; start it. The first is the same for domains that differ in
// command line alone, and is stored once. All domains are made before the first one starts.

import { HEADERS_END, PlanHeader } from "../../contract/image.js";
import { MAX_OPERATIONS, MAX_WORK, PAGE_SIZE } from "../../contract/limits.js";
import {
  XEN_DOMCTL_CDF_hap,
  XEN_DOMCTL_CDF_host_ends,
  XEN_DOMCTL_CDF_hvm,
  XEN_DOMCTL_CDF_xen_log,
} from "../../contract/xen-abi.js";
import { pagingPoolPages } from "../../xen-model/memory.js";
import type { DomainDescription } from "../description/description.js";
import type { Guest, PlacedBytes } from "../guest/guest.js";
import type { GuestPage } from "../guest/kernel-pages.js";
import { pagesOf } from "../guest/memory-ranges.js";
import { type Filling, fillOperation, populateOperations } from "./fill.js";
import { type Material, MaterialTable, placeMaterials } from "./materials.js";
import { packPages } from "./pack.js";
import {
  domainLayout,
  materialLayout,
  noPolicy,
  operationKindLayout,
  type Plan,
  type PlanDomain,
  type PlanOperation,
  type PlanStep,
  stepLayout,
} from "./plan.js";
import { privilegesOf, roles } from "./roles.js";

/** Ports of a domain without event channels of its own: timer and console of its kernel. */
const MAX_EVENT_CHANNEL_PORT = 127;
/** The least that Linux sets its grant tables up with; nothing is granted without a link. */
const MAX_GRANT_FRAMES = 4;
/** A domain without links maps nobody's grants; Xen takes 0 for none at all. */
const MAX_MAPTRACK_FRAMES = 0;

/** A domain of the description with its layout. */
export interface PlannedGuest {
  readonly domain: DomainDescription;
  /** FLASK label, empty for none. */
  readonly label: string;
  readonly guest: Guest;
}

export interface PlannedLaunch {
  readonly plan: Plan;
  /** The plan's materials with their bytes, in the plan's order. */
  readonly materials: readonly Material[];
}

/** What a plan is made for, beside its guests. */
export interface PlanSetting {
  /** The FLASK policy that Xen must enforce. */
  readonly policy?: Pick<Plan, "policyBytes" | "policyDigest"> | undefined;
  /** Offset of the plan in the image, bytes. */
  readonly start?: number | undefined;
}

/**
 * Plans a launch. Zero pages of kernels are left out; only when the tables then overflow, longer
 * and longer runs of them are stored. The plan may still be larger than its maxima.
 */
export function makePlan(
  guests: readonly PlannedGuest[],
  setting: PlanSetting = {},
): PlannedLaunch {
  const longest = Math.max(0, ...guests.map(({ guest }) => guest.kernel.length));
  let storedZeros = 0;
  for (;;) {
    const launch = planWith(guests, setting, storedZeros);
    if (storedZeros >= longest || fitsTables(launch.plan)) return launch;
    storedZeros = storedZeros === 0 ? 1 : storedZeros * 2;
  }
}

/** Operations that a run of the plan executes. */
export function workOf(plan: Plan): number {
  return plan.steps.reduce((sum, { operationCount }) => sum + operationCount, 0);
}

function fitsTables(plan: Plan): boolean {
  return plan.operations.length <= MAX_OPERATIONS && workOf(plan) <= MAX_WORK;
}

function planWith(
  guests: readonly PlannedGuest[],
  { policy = noPolicy, start: planOffset = HEADERS_END }: PlanSetting,
  storedZeros: number,
): PlannedLaunch {
  const table = new MaterialTable();
  const kernels = new Map<readonly GuestPage[], readonly Filling[]>();
  const sequences = new Sequences();
  const preparations: PlanStep[] = [];
  const starts: PlanStep[] = [];

  for (const [domain, { guest }] of guests.entries()) {
    const make = sequences.add([
      { kind: "createDomain" },
      { kind: "allocateVcpus" },
      { kind: "setPagingPool" },
      { kind: "limitMemory" },
      ...populateOperations(guest.memory),
      ...kernelFillings(guest.kernel).map(fillOperation),
      ...ramdiskFillings(guest.ramdisk).map(fillOperation),
    ]);
    const startOfDay = table.add("startOfDay", guest.startOfDay.bytes);
    const tell = sequences.add([
      fillOperation(fillingOf(guest.startOfDay, startOfDay)),
      { kind: "setContext", material: table.add("vcpuContext", guest.vcpuContext) },
    ]);
    const start = sequences.add([{ kind: "start" }]);

    const made = preparations.push({ domain, ...make, afterStep: 0 });
    const told = preparations.push({ domain, ...tell, afterStep: made });
    starts.push({ domain, ...start, afterStep: told });
  }

  const operations = sequences.operations;
  const steps = [...preparations, ...starts];
  const planEnd =
    planOffset +
    PlanHeader.size +
    guests.length * domainLayout.size +
    table.materials.length * materialLayout.size +
    steps.length * stepLayout.size +
    operations.length * operationKindLayout.size;
  return {
    plan: {
      dropped: privilegesOf(
        roles.filter((role) => guests.every(({ domain }) => !domain.roles.includes(role))),
      ),
      ...policy,
      domains: guests.map(planDomain),
      materials: placeMaterials(table.materials, planEnd),
      steps,
      operations,
    },
    materials: table.materials,
  };

  function kernelFillings(pages: readonly GuestPage[]): readonly Filling[] {
    const known = kernels.get(pages);
    if (known !== undefined) return known;
    const { runs, bytes } = packPages(pages, storedZeros);
    const material = bytes.length === 0 ? 0 : table.add("kernel", bytes);
    const fillings = runs.map(({ frame, count, offset }) => ({
      frame,
      count,
      source: offset === undefined ? undefined : { material, offset },
    }));
    kernels.set(pages, fillings);
    return fillings;
  }

  function ramdiskFillings(ramdisk: PlacedBytes | undefined): readonly Filling[] {
    return ramdisk === undefined ? [] : [fillingOf(ramdisk, table.add("ramdisk", ramdisk.bytes))];
  }
}

function fillingOf({ frame, bytes }: PlacedBytes, material: number): Filling {
  return { frame, count: pagesOf(bytes.length), source: { material, offset: 0 } };
}

function planDomain({ domain, label, guest }: PlannedGuest): PlanDomain {
  const memoryPages = domain.memoryBytes / PAGE_SIZE;
  const output = domain.output === "xen-log" ? XEN_DOMCTL_CDF_xen_log : 0;
  const hostEnds = domain.onDeath === "reboot" ? XEN_DOMCTL_CDF_host_ends : 0;
  return {
    name: domain.name,
    domid: domain.domid,
    createFlags:
      XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap | output | hostEnds | privilegesOf(domain.roles),
    devices: guest.devices,
    sharedInterrupts: guest.sharedInterrupts,
    vcpus: domain.vcpus,
    memoryPages,
    pagingPoolPages: pagingPoolPages(memoryPages, domain.vcpus),
    maxEventChannelPort: MAX_EVENT_CHANNEL_PORT,
    maxGrantFrames: MAX_GRANT_FRAMES,
    maxMaptrackFrames: MAX_MAPTRACK_FRAMES,
    label,
  };
}

/**
 * The table of operations. A sequence that is already there is used again; a material is verified
 * right before the first sequence that uses it, which never needs it again.
 */
class Sequences {
  readonly operations: PlanOperation[] = [];
  readonly #known = new Map<string, Pick<PlanStep, "firstOperation" | "operationCount">>();
  readonly #verified = new Set<number>();

  add(sequence: readonly PlanOperation[]): Pick<PlanStep, "firstOperation" | "operationCount"> {
    const key = JSON.stringify(sequence);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const used = new Set(sequence.flatMap(materialsOf));
    const verifications = [...used]
      .filter((material) => !this.#verified.has(material))
      .map((material) => ({ kind: "verify" as const, material }));
    for (const { material } of verifications) this.#verified.add(material);
    const firstOperation = this.operations.push(...verifications) - verifications.length;
    this.operations.push(...sequence);
    this.#known.set(key, {
      firstOperation: firstOperation + verifications.length,
      operationCount: sequence.length,
    });
    return { firstOperation, operationCount: verifications.length + sequence.length };
  }
}

function materialsOf(operation: PlanOperation): readonly number[] {
  return "material" in operation ? [operation.material] : [];
}
