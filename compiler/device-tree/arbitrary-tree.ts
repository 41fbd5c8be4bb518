// SPDX-License-Identifier: Apache-2.0
// Any device tree, for property tests.

import fc from "fast-check";
import type { DeviceTree, DeviceTreeNode } from "./device-tree.js";

const letters = (more: string, maxLength: number) =>
  fc.string({
    unit: fc.constantFrom(..."abcxyzABZ059,._+-", ...more),
    minLength: 1,
    maxLength,
  });

const propertyName = letters("?#", 12);
const nodeName = fc
  .tuple(letters("", 8), fc.option(letters("", 6), { nil: undefined }))
  .map(([name, unit]) => (unit === undefined ? name : `${name}@${unit}`));

const properties = fc
  .uniqueArray(fc.tuple(propertyName, fc.uint8Array({ maxLength: 20 })), {
    maxLength: 5,
    selector: ([name]) => name,
  })
  .map((entries) => new Map(entries));

const childrenOf = (depth: number): fc.Arbitrary<DeviceTreeNode[]> =>
  fc.uniqueArray(depth === 0 ? leaf : nodeOf(depth), {
    maxLength: 3,
    selector: ({ name }) => name,
  });

const leaf: fc.Arbitrary<DeviceTreeNode> = fc.record({
  name: nodeName,
  properties,
  children: fc.constant([]),
});

/** A node with as many levels below it at most. */
const nodeOf = (depth: number): fc.Arbitrary<DeviceTreeNode> =>
  fc.record({ name: nodeName, properties, children: childrenOf(depth - 1) });

const number64 = fc.bigInt(0n, 0xffff_ffff_ffff_ffffn);

export const arbitraryTree: fc.Arbitrary<DeviceTree> = fc.record({
  bootCpu: fc.nat({ max: 0xffff_ffff }),
  reservations: fc.array(
    fc.record({ address: number64, bytes: number64.filter((bytes) => bytes > 0n) }),
    { maxLength: 3 },
  ),
  root: nodeOf(3).map((root) => ({ ...root, name: "" })),
});
