// SPDX-License-Identifier: Apache-2.0
// From guests to the launch plan. Three steps for each domain: make it and fill it with kernel and
// ramdisk; tell it its start of day, and link it; start it. The first is the same for domains that
// differ in command line alone, and is stored once. All domains are made, then all are told, before
// the first one starts: what can fail without them has failed by then.

import { HEADERS_END, PlanHeader } from "../../contract/image.js";
import { MAX_OPERATIONS, MAX_WORK, PAGE_SIZE } from "../../contract/limits.js";
import {
  XEN_DOMCTL_CDF_hap,
  XEN_DOMCTL_CDF_host_ends,
  XEN_DOMCTL_CDF_hvm,
  XEN_DOMCTL_CDF_receipt,
  XEN_DOMCTL_CDF_xen_log,
} from "../../contract/xen-abi.js";
import { pagesOfDomain, pagingPoolPages } from "../../xen-model/memory.js";
import type { DomainDescription } from "../description/description.js";
import type { Guest, PlacedBytes } from "../guest/guest.js";
import type { GuestPage } from "../guest/kernel-pages.js";
import { pagesOf } from "../guest/memory-ranges.js";
import { signalPort } from "../guest/told.js";
import { type Filling, fillOperation, populateOperations } from "./fill.js";
import { type Material, MaterialTable, placeMaterials } from "./materials.js";
import { packPages } from "./pack.js";
import {
  domainLayout,
  guardLayout,
  materialLayout,
  noPolicy,
  operationKindLayout,
  type Plan,
  type PlanDomain,
  type PlanOperation,
  type PlanStep,
  stepLayout,
  unguarded,
} from "./plan.js";
import { privilegesOf, roles } from "./roles.js";
import { noWiring, type Wiring } from "./wiring.js";

/** Of a domain that runs wherever Xen lets it. */
const everywhere: Processors = { cpuPool: 0, pool: [], placement: [] };

/** A domain of the description with its layout. */
export interface PlannedGuest {
  readonly domain: DomainDescription;
  /** FLASK label, empty for none. */
  readonly label: string;
  readonly guest: Guest;
  /** Its links with others; default: none. */
  readonly wiring?: Wiring | undefined;
  /** Where it runs; default: on every CPU of pool 0. */
  readonly processors?: Processors | undefined;
}

/** The CPU pool that a domain runs in, and the operations before its creation and after it. */
export interface Processors extends Pick<PlanDomain, "cpuPool"> {
  readonly pool: readonly PlanOperation[];
  readonly placement: readonly PlanOperation[];
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
  /** The plan that runs if a domain fails that says so. */
  readonly recovery?: Plan | undefined;
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
  { policy = noPolicy, start: planOffset = HEADERS_END, recovery }: PlanSetting,
  storedZeros: number,
): PlannedLaunch {
  const table = new MaterialTable();
  const kernels = new Map<readonly GuestPage[], readonly Filling[]>();
  const sequences = new Sequences();
  const steps: PlanStep[] = [];
  const guards: number[] = [];

  for (const [domain, { guest, processors = everywhere }] of guests.entries()) {
    const own: readonly PlanOperation[] = [
      { kind: "createDomain" },
      { kind: "allocateVcpus" },
      { kind: "setPagingPool" },
      { kind: "limitMemory" },
      ...processors.placement,
      ...populateOperations(guest.memory),
      ...kernelFillings(guest.kernel).map(fillOperation),
      ...ramdiskFillings(guest.ramdisk).map(fillOperation),
    ];
    // Pools are for others, too: they are made whatever becomes of this domain's materials.
    const make = sequences.add(own, processors.pool);
    steps.push({ domain, ...make, afterStep: 0, ...unguarded });
  }
  for (const [domain, { domain: description, guest, wiring = noWiring }] of guests.entries()) {
    const startOfDay = table.add("startOfDay", guest.startOfDay.bytes);
    const tell = sequences.add([
      fillOperation(fillingOf(guest.startOfDay, startOfDay)),
      ...guest.vcpuContexts.map((context) => ({
        kind: "setContext" as const,
        material: table.add("vcpuContext", context),
      })),
      ...(description.ready.when === "started"
        ? []
        : [{ kind: "openSignal" as const, port: signalPort(domain) }]),
      ...wiring.operations,
    ]);
    steps.push({ domain, ...tell, afterStep: domain + 1, ...unguarded });
  }
  for (const [domain, { domain: description }] of guests.entries()) {
    const start = sequences.add([{ kind: "start" }]);
    const awaited = description.after.map((name) => indexOf(guests, name));
    const firstGuard = guards.push(...awaited) - awaited.length;
    const guard = { firstGuard, guardCount: awaited.length };
    steps.push({ domain, ...start, afterStep: guests.length + domain + 1, ...guard });
  }

  const operations = sequences.operations;
  const planEnd =
    planOffset +
    PlanHeader.size +
    guests.length * domainLayout.size +
    table.materials.length * materialLayout.size +
    steps.length * stepLayout.size +
    guards.length * guardLayout.size +
    operations.length * operationKindLayout.size;
  const given = privilegesOf(guests.flatMap(({ domain }) => domain.roles));
  const reserve = reserveFor(guests, recovery);
  return {
    plan: {
      dropped: privilegesOf(roles) & ~given & ~reserve.privileges,
      ...policy,
      reservedPrivileges: given & reserve.privileges,
      reservedPages: reserve.pages,
      domains: guests.map(planDomain),
      materials: placeMaterials(table.materials, planEnd),
      steps,
      guards,
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

function indexOf(guests: readonly PlannedGuest[], name: string): number {
  const index = guests.findIndex(({ domain }) => domain.name === name);
  if (index < 0) throw new Error(`bug: there is no domain ${name} in this plan`);
  return index;
}

/** What is kept for the recovery plan, if a domain's failure can make it run. */
function reserveFor(guests: readonly PlannedGuest[], recovery: Plan | undefined) {
  const canRun = guests.some(({ domain }) => domain.onFailure === "recover");
  const domains = canRun ? (recovery?.domains ?? []) : [];
  return {
    privileges:
      domains.reduce((all, { createFlags }) => all | createFlags, 0) & privilegesOf(roles),
    pages: domains.reduce((sum, domain) => sum + pagesOfDomain(domain), 0),
  };
}

function planDomain({
  domain,
  label,
  guest,
  wiring = noWiring,
  processors = everywhere,
}: PlannedGuest): PlanDomain {
  const memoryPages = domain.memoryBytes / PAGE_SIZE;
  const output = domain.output === "xen-log" ? XEN_DOMCTL_CDF_xen_log : 0;
  // Who recovers has to know from what.
  const receipt = domain.recovery ? XEN_DOMCTL_CDF_receipt : 0;
  const hostEnds = domain.onDeath === "reboot" ? XEN_DOMCTL_CDF_host_ends : 0;
  return {
    name: domain.name,
    domid: domain.domid,
    createFlags:
      XEN_DOMCTL_CDF_hvm |
      XEN_DOMCTL_CDF_hap |
      output |
      hostEnds |
      receipt |
      privilegesOf(domain.roles),
    devices: guest.devices,
    sharedInterrupts: guest.sharedInterrupts,
    vcpus: domain.vcpus,
    memoryPages,
    pagingPoolPages: pagingPoolPages(memoryPages, domain.vcpus),
    maxEventChannelPort: wiring.maxEventChannelPort,
    maxGrantFrames: wiring.maxGrantFrames,
    maxMaptrackFrames: wiring.maxMaptrackFrames,
    label,
    cpuPool: processors.cpuPool,
    readiness: domain.ready.when,
    readyWithin: domain.ready.withinMs,
    onFailure: domain.onFailure,
  };
}

/**
 * The table of operations. A sequence that is already there is used again. Each begins with the
 * verification of all materials that it uses: a domain that fails leaves no other without it.
 */
class Sequences {
  readonly operations: PlanOperation[] = [];
  readonly #known = new Map<string, Pick<PlanStep, "firstOperation" | "operationCount">>();

  /** What uses materials has them verified first, but for what comes before all. */
  add(
    sequence: readonly PlanOperation[],
    before: readonly PlanOperation[] = [],
  ): Pick<PlanStep, "firstOperation" | "operationCount"> {
    const key = JSON.stringify([before, sequence]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const used = [...new Set(sequence.flatMap(materialsOf))];
    const verify = used.map((material) => ({ kind: "verify" as const, material }));
    const whole = [...before, ...verify, ...sequence];
    const firstOperation = this.operations.push(...whole) - whole.length;
    const place = { firstOperation, operationCount: whole.length };
    this.#known.set(key, place);
    return place;
  }
}

function materialsOf(operation: PlanOperation): readonly number[] {
  return "material" in operation ? [operation.material] : [];
}
