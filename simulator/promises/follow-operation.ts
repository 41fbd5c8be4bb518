// SPDX-License-Identifier: Apache-2.0
// One operation of a plan, followed: the hypercalls that it must make, and how it ends.

import type { PlanOperation } from "../../compiler/plan/plan.js";
import { BOOT_DOMID, POPULATE_BATCH } from "../../contract/limits.js";
import { LaunchStatus } from "../../contract/receipt.js";
import { XEN_ENOMEM } from "../../contract/xen-abi.js";
import type { HypercallName } from "../../xen-model/hypercalls.js";
import { errnoOf, type Following, type PlanCourse, type Seen } from "./plan-course.js";

/** Which operation of which step, numbers from 1, and the step's domain from 0. */
export interface Place {
  readonly domain: number;
  readonly step: number;
  readonly operation: number;
}

/** Follows an operation to its status. */
export function* followOperation(plan: PlanCourse, place: Place): Following<number> {
  const operation = plan.plan.operations[place.operation - 1];
  if (operation === undefined) throw new Error(`bug: there is no operation ${place.operation}`);
  if (operation.kind === "verify") return plan.verify(operation.material);
  if (operation.kind === "createPool" || operation.kind === "moveCpu") {
    const status = plan.statusOf(yield* call(plan, place, "changePool"));
    if (operation.kind === "createPool" || status !== LaunchStatus.success) return status;
    return plan.statusOf(yield* call(plan, place, "changePool"));
  }
  const domain = plan.domain(place.domain);
  const needed = operation.kind === "createDomain" ? "absent" : "created";
  if (domain.state !== needed) return LaunchStatus.outOfOrder;
  if (
    (operation.kind === "copy" || operation.kind === "setContext") &&
    !isUsable(plan, operation)
  ) {
    return LaunchStatus.outOfOrder;
  }
  if (operation.kind === "openChannel" || operation.kind === "grant") {
    if (plan.isLost(operation.peer)) return LaunchStatus.success;
  }
  return plan.statusOf(yield* onDomain(plan, place, operation));
}

function isUsable(plan: PlanCourse, { material }: { readonly material: number }): boolean {
  return plan.isVerified(material);
}

/** Makes an operation's hypercalls on its domain; Xen's errno. */
function* onDomain(plan: PlanCourse, place: Place, operation: PlanOperation): Following<number> {
  const domain = plan.domain(place.domain);
  const at = plan.now();
  switch (operation.kind) {
    case "createDomain": {
      const { label = "" } = plan.plan.domains[place.domain] ?? {};
      const unknown = label === "" ? 0 : yield* call(plan, place, "label");
      if (unknown !== 0) return unknown;
      const error = yield* call(plan, place, "createDomain");
      if (error === 0) Object.assign(domain, { state: "created", createdAt: at });
      return error;
    }
    case "start": {
      const error = yield* call(plan, place, "start");
      if (error !== 0) return error;
      Object.assign(domain, { state: "started", startedAt: at });
      if (plan.plan.domains[place.domain]?.readiness === "started") domain.readyAt = at;
      return error;
    }
    case "populate":
      return yield* populate(plan, place, operation.count);
    case "copy":
    case "clear": {
      const seen = yield wanted(plan, place, operation.kind);
      const time = operation.kind === "copy" ? "copyNs" : "clearNs";
      plan.part[time] += timeOf(seen);
      return errnoOf(seen.answer);
    }
    case "openSignal":
      return yield* call(plan, place, "openChannel", BOOT_DOMID);
    case "verify":
    case "createPool":
    case "moveCpu":
      throw new Error(`bug: ${operation.kind} is on no domain`);
    default:
      return yield* call(plan, place, operation.kind);
  }
}

/** Asks for extents, some at a time; fewer than asked for is a lack of memory. */
function* populate(plan: PlanCourse, place: Place, extents: number): Following<number> {
  for (let left = extents; left > 0; left -= POPULATE_BATCH) {
    const seen = yield wanted(plan, place, "populate");
    plan.part.populateNs += timeOf(seen);
    if (errnoOf(seen.answer) !== 0) return errnoOf(seen.answer);
    if (seen.answer !== Math.min(left, POPULATE_BATCH)) return XEN_ENOMEM;
  }
  return 0;
}

function timeOf({ call: { atNs }, endNs }: Seen): number {
  return endNs - atNs;
}

/** The hypercalls that are on no domain. */
const onNone: ReadonlySet<HypercallName> = new Set(["changePool", "label"]);

function wanted(
  plan: PlanCourse,
  { domain, step, operation }: Place,
  name: HypercallName,
  domid = onNone.has(name) ? 0 : plan.domidOf(domain),
) {
  return { name, domid, step, operation };
}

/** Makes one hypercall; Xen's errno. */
function* call(
  plan: PlanCourse,
  place: Place,
  name: HypercallName,
  domid?: number,
): Following<number> {
  return errnoOf((yield wanted(plan, place, name, domid)).answer);
}
