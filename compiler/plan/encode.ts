// SPDX-License-Identifier: Apache-2.0
// The plan's bytes: header, then the tables in the order of their counts, without gaps. Decoding
// checks shape alone (counts, kinds, reserved bytes); limits are limits.ts's part.

import { OperationRecord } from "../../contract/image.js";
import {
  domainLayout,
  guardLayout,
  materialLayout,
  operationKindLayout,
  operationLayouts,
  type Plan,
  type PlanOperation,
  planHeaderLayout,
  stepLayout,
} from "./plan.js";
import { type Decoded, decodeRecord, encodeRecord, RecordFault } from "./record.js";

/** Bytes of a plan's tables and header. */
export function encodePlan(plan: Plan): Uint8Array {
  const { domains, materials, steps, guards, operations, ...launch } = plan;
  return Buffer.concat([
    encodeRecord(planHeaderLayout, {
      domains: domains.length,
      materials: materials.length,
      steps: steps.length,
      operations: operations.length,
      guards: guards.length,
      ...launch,
    }),
    ...domains.map((domain) => encodeRecord(domainLayout, domain)),
    ...materials.map((material) => encodeRecord(materialLayout, material)),
    ...steps.map((step) => encodeRecord(stepLayout, step)),
    ...guards.map((domain) => encodeRecord(guardLayout, { domain })),
    ...operations.map(encodeOperation),
  ]);
}

/** The plan of these bytes, or the first table's faults, each with its record's place. */
export function decodePlan(source: Uint8Array): Decoded<Plan> {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  if (bytes.length < planHeaderLayout.size) {
    return sizeFault(bytes.length, planHeaderLayout.size);
  }
  const header = decodeRecord(planHeaderLayout, bytes.subarray(0, planHeaderLayout.size));
  if (!header.ok) return header;
  const counts = header.value;
  const size =
    planHeaderLayout.size +
    counts.domains * domainLayout.size +
    counts.materials * materialLayout.size +
    counts.steps * stepLayout.size +
    counts.guards * guardLayout.size +
    counts.operations * OperationRecord.size;
  if (size !== bytes.length) return sizeFault(bytes.length, size);

  let at = planHeaderLayout.size;
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const domains = decodeTable("domain", counts.domains, () =>
    decodeRecord(domainLayout, take(domainLayout.size)),
  );
  if (!domains.ok) return domains;
  const materials = decodeTable("material", counts.materials, () =>
    decodeRecord(materialLayout, take(materialLayout.size)),
  );
  if (!materials.ok) return materials;
  const steps = decodeTable("step", counts.steps, () =>
    decodeRecord(stepLayout, take(stepLayout.size)),
  );
  if (!steps.ok) return steps;
  const guards = decodeTable("guard", counts.guards, () =>
    decodeRecord(guardLayout, take(guardLayout.size)),
  );
  if (!guards.ok) return guards;
  const operations = decodeTable("operation", counts.operations, () =>
    decodeOperation(take(OperationRecord.size)),
  );
  if (!operations.ok) return operations;
  return {
    ok: true,
    value: {
      dropped: counts.dropped,
      policyBytes: counts.policyBytes,
      policyDigest: counts.policyDigest,
      reservedPrivileges: counts.reservedPrivileges,
      reservedPages: counts.reservedPages,
      domains: domains.value,
      materials: materials.value,
      steps: steps.value,
      guards: guards.value.map(({ domain }) => domain),
      operations: operations.value,
    },
  };
}

function encodeOperation(operation: PlanOperation): Buffer {
  // The kind picks the layout whose fields the operation has; the compiler can't follow that.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  return encodeRecord<any>(operationLayouts[operation.kind], operation);
}

function decodeOperation(bytes: Buffer): Decoded<PlanOperation> {
  const kind = operationKindLayout.fields.kind.read(bytes);
  if (kind instanceof RecordFault) return { ok: false, faults: [["kind", kind]] };
  return decodeRecord(operationLayouts[kind], bytes) as Decoded<PlanOperation>;
}

function decodeTable<Value>(
  record: string,
  count: number,
  decode: () => Decoded<Value>,
): Decoded<readonly Value[]> {
  const values: Value[] = [];
  for (let index = 0; index < count; index++) {
    const decoded = decode();
    if (!decoded.ok) {
      const faults = decoded.faults.map(
        ([field, fault]) => [`${field} of ${record} ${index}`, fault] as const,
      );
      return { ok: false, faults };
    }
    values.push(decoded.value);
  }
  return { ok: true, value: values };
}

function sizeFault(found: number, wanted: number): Decoded<never> {
  return { ok: false, faults: [["size", new RecordFault(`${found} bytes`, `${wanted} bytes`)]] };
}
