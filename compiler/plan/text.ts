// SPDX-License-Identifier: Apache-2.0
// A plan as text, one record a line, for diffs and tests: `domain name=web domid=1 …`. Reading the
// text that was written gives the same plan.

import {
  domainLayout,
  guardLayout,
  launchLayout,
  materialLayout,
  operationKindLayout,
  operationLayouts,
  type Plan,
  type PlanDomain,
  type PlanLaunch,
  type PlanMaterial,
  type PlanOperation,
  type PlanStep,
  stepLayout,
} from "./plan.js";
import { type Decoded, formatRecord, parseRecord, RecordFault } from "./record.js";

/** A line for each record, in the plan's order; the last one ends with a newline, too. */
export function formatPlan(plan: Plan): string {
  const lines = [
    `launch ${formatRecord(launchLayout, plan)}`,
    ...plan.domains.map((domain) => `domain ${formatRecord(domainLayout, domain)}`),
    ...plan.materials.map((material) => `material ${formatRecord(materialLayout, material)}`),
    ...plan.steps.map((step) => `step ${formatRecord(stepLayout, step)}`),
    ...plan.guards.map((domain) => `guard ${formatRecord(guardLayout, { domain })}`),
    ...plan.operations.map((operation) => `operation ${formatOperation(operation)}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** The plan of such a text, or the faults of the first line that has any. */
export function parsePlan(text: string): Decoded<Plan> {
  const launches: PlanLaunch[] = [];
  const domains: PlanDomain[] = [];
  const materials: PlanMaterial[] = [];
  const steps: PlanStep[] = [];
  const guards: { readonly domain: number }[] = [];
  const operations: PlanOperation[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const space = line.indexOf(" ");
    const record = space < 0 ? line : line.slice(0, space);
    const fields = space < 0 ? "" : line.slice(space + 1);
    const parsed = parseLine(record, fields);
    if (!parsed.ok) {
      const faults = parsed.faults.map(
        ([field, fault]) => [`${field} in line ${index + 1}`, fault] as const,
      );
      return { ok: false, faults };
    }
  }
  const [launch, ...others] = launches;
  if (launch === undefined || others.length > 0) {
    const fault = new RecordFault(`${launches.length} of them`, "one");
    return { ok: false, faults: [["launch", fault]] };
  }
  const guarding = guards.map(({ domain }) => domain);
  const tables = { domains, materials, steps, guards: guarding, operations };
  return { ok: true, value: { ...launch, ...tables } };

  function parseLine(record: string, fields: string): Decoded<unknown> {
    switch (record) {
      case "launch":
        return keep(parseRecord(launchLayout, fields), launches);
      case "domain":
        return keep(parseRecord(domainLayout, fields), domains);
      case "material":
        return keep(parseRecord(materialLayout, fields), materials);
      case "step":
        return keep(parseRecord(stepLayout, fields), steps);
      case "guard":
        return keep(parseRecord(guardLayout, fields), guards);
      case "operation":
        return keep(parseOperation(fields), operations);
      default: {
        const fault = new RecordFault(record, "launch, domain, material, step, guard or operation");
        return { ok: false, faults: [["record", fault]] };
      }
    }
  }
}

function keep<Value>(parsed: Decoded<Value>, table: Value[]): Decoded<Value> {
  if (parsed.ok) table.push(parsed.value);
  return parsed;
}

function formatOperation(operation: PlanOperation): string {
  // The kind picks the layout whose fields the operation has; the compiler can't follow that.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  return formatRecord<any>(operationLayouts[operation.kind], operation);
}

function parseOperation(fields: string): Decoded<PlanOperation> {
  const kind = operationKindLayout.fields.kind.parse(/^kind=(\S*)/.exec(fields)?.[1] ?? "");
  if (kind instanceof RecordFault) return { ok: false, faults: [["kind", kind]] };
  return parseRecord(operationLayouts[kind], fields) as Decoded<PlanOperation>;
}
