// SPDX-License-Identifier: Apache-2.0
// Whether every number of a plan that was read back is within its bounds: the checks that the
// boot domain makes before it runs a plan, so that nothing later looks outside image or tables.

import {
  MAX_CONTEXT_BYTES,
  MAX_DOMAINS,
  MAX_DOMID,
  MAX_FRAME,
  MAX_GUARDS,
  MAX_MATERIALS,
  MAX_MEMORY_PAGES,
  MAX_OPERATIONS,
  MAX_ORDER,
  MAX_PAGING_POOL_PAGES,
  MAX_POLICY_BYTES,
  MAX_PORT,
  MAX_READY_WITHIN,
  MAX_STEPS,
  MAX_VCPUS,
  MAX_WORK,
  PAGE_SIZE,
} from "../../contract/limits.js";
import { pagesOf } from "../guest/memory-ranges.js";
import { workOf } from "../plan/make-plan.js";
import type { Plan, PlanOperation } from "../plan/plan.js";

interface Bound {
  readonly what: string;
  readonly found: number;
  readonly least: number;
  readonly most: number;
}

/** What is out of bounds, in words: the field's name, its value and what is wanted. */
export function checkPlan(plan: Plan, imageBytes: number): readonly string[] {
  return [
    ...bounds(plan, imageBytes)
      .filter(({ found, least, most }) => !(found >= least && found <= most))
      .map(({ what, found, least, most }) => `${what} is ${found}, wanted ${least} to ${most}`),
    ...plan.materials.flatMap(({ offset }, index) => unaligned(`material ${index}`, offset)),
    ...plan.operations.flatMap((operation, index) =>
      operation.kind === "copy" ? unaligned(`operation ${index}`, operation.offset) : [],
    ),
  ];
}

function bounds(plan: Plan, imageBytes: number): readonly Bound[] {
  const { domains, materials, steps, guards, operations } = plan;
  return [
    { what: "the number of domains", found: domains.length, least: 0, most: MAX_DOMAINS },
    { what: "the number of materials", found: materials.length, least: 0, most: MAX_MATERIALS },
    { what: "the number of steps", found: steps.length, least: 0, most: MAX_STEPS },
    { what: "the number of operations", found: operations.length, least: 0, most: MAX_OPERATIONS },
    { what: "the number of guards", found: guards.length, least: 0, most: MAX_GUARDS },
    { what: "policyBytes", found: plan.policyBytes, least: 0, most: MAX_POLICY_BYTES },
    { what: "the work of all steps", found: workOf(plan), least: 0, most: MAX_WORK },
    ...domains.flatMap((domain, index) => [
      within(`domid of domain ${index}`, domain.domid, 0, MAX_DOMID),
      within(`vcpus of domain ${index}`, domain.vcpus, 1, MAX_VCPUS),
      within(`memoryPages of domain ${index}`, domain.memoryPages, 1, MAX_MEMORY_PAGES),
      within(
        `pagingPoolPages of domain ${index}`,
        domain.pagingPoolPages,
        1,
        MAX_PAGING_POOL_PAGES,
      ),
      within(`readyWithin of domain ${index}`, domain.readyWithin, 0, MAX_READY_WITHIN),
    ]),
    ...materials.flatMap(({ offset, bytes }, index) => [
      within(`offset of material ${index}`, offset, 0, imageBytes),
      // Whole pages are copied, so the last one is in the image as a whole.
      within(`bytes of material ${index}`, bytes, 1, pagesBelow(imageBytes) - offset),
    ]),
    ...steps.flatMap((step, index) => [
      within(`domain of step ${index}`, step.domain, 0, domains.length - 1),
      within(`afterStep of step ${index}`, step.afterStep, 0, steps.length),
      within(`operationCount of step ${index}`, step.operationCount, 1, operations.length),
      within(
        `firstOperation of step ${index}`,
        step.firstOperation,
        0,
        operations.length - step.operationCount,
      ),
      within(`guardCount of step ${index}`, step.guardCount, 0, guards.length),
      within(`firstGuard of step ${index}`, step.firstGuard, 0, guards.length - step.guardCount),
    ]),
    ...guards.map((domain, index) =>
      within(`domain of guard ${index}`, domain, 0, domains.length - 1),
    ),
    ...operations.flatMap((operation, index) => operationBounds(plan, operation, index)),
  ];
}

function operationBounds(plan: Plan, operation: PlanOperation, index: number): readonly Bound[] {
  const of = (field: string) => `${field} of operation ${index}`;
  const material = "material" in operation ? plan.materials[operation.material] : undefined;
  const pages = pagesOf(material?.bytes ?? 0);
  const result: Bound[] = [];
  if ("material" in operation) {
    result.push(within(of("material"), operation.material, 0, plan.materials.length - 1));
  }
  if ("peer" in operation) {
    result.push(within(of("peer"), operation.peer, 0, plan.domains.length - 1));
  }
  if ("port" in operation) result.push(within(of("port"), operation.port, 0, MAX_PORT));
  if ("order" in operation) result.push(within(of("order"), operation.order, 0, MAX_ORDER));
  if ("frame" in operation) {
    const extent = "order" in operation ? 2 ** operation.order : 1;
    const most = "offset" in operation ? pages : MAX_FRAME;
    result.push(within(of("count"), operation.count, 1, most));
    result.push(within(of("frame"), operation.frame, 0, MAX_FRAME - operation.count * extent));
  }
  if ("offset" in operation) {
    const most = (pages - operation.count) * PAGE_SIZE;
    result.push(within(of("offset"), operation.offset, 0, most));
  }
  if (operation.kind === "setContext" && material !== undefined) {
    result.push(within(of("bytes of the context"), material.bytes, 1, MAX_CONTEXT_BYTES));
  }
  return result;
}

/** Bytes of the whole pages in so many bytes. */
function pagesBelow(bytes: number): number {
  return bytes - (bytes % PAGE_SIZE);
}

function within(what: string, found: number, least: number, most: number): Bound {
  return { what, found, least, most };
}

function unaligned(what: string, offset: number): readonly string[] {
  return offset % PAGE_SIZE === 0
    ? []
    : [`offset of ${what} is ${offset}, wanted a multiple of ${PAGE_SIZE}`];
}
