// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { arbitraryTree } from "./arbitrary-tree.js";
import { decodeDeviceTree } from "./decode.js";
import {
  allNodes,
  childNamed,
  type DeviceTree,
  type DeviceTreeNode,
  MAX_TREE_DEPTH,
  nodeAt,
  nodesCompatibleWith,
} from "./device-tree.js";
import { encodeDeviceTree } from "./encode.js";
import { cells, cells64, readCells, readRows, readText, readTexts, texts } from "./values.js";

const source = { place: { line: 3, column: 10 }, name: "board.dtb" };
const read = (bytes: Uint8Array) => decodeDeviceTree(bytes, source);

function decoded(bytes: Uint8Array): DeviceTree {
  const result = read(bytes);
  if (!result.ok) throw new Error(result.diagnostics[0]?.message);
  return result.value;
}

function node(
  name: string,
  properties: Record<string, Uint8Array> = {},
  children: readonly DeviceTreeNode[] = [],
): DeviceTreeNode {
  return { name, properties: new Map(Object.entries(properties)), children };
}

const small: DeviceTree = {
  bootCpu: 1,
  reservations: [{ address: 0x4800_0000n, bytes: 0x1000n }],
  root: node("", { "#address-cells": cells(2), compatible: texts("a,board", "a,family") }, [
    node("memory@40000000", { reg: cells64(0x4000_0000, 0x8000_0000) }),
    node("soc", {}, [
      node("serial@1000", { compatible: texts("arm,pl011"), reg: cells(1) }),
      node("serial@2000", { compatible: texts("a,uart", "arm,pl011") }),
    ]),
  ]),
};
const blob = Buffer.from(encodeDeviceTree(small));

/** What reading says of the small tree once `change` has been at it. */
function told(change: (bytes: Buffer) => Buffer | undefined): string[] {
  const bytes = Buffer.from(blob);
  const result = read(change(bytes) ?? bytes);
  return result.ok ? [] : result.diagnostics.map(({ code, message }) => `${code} ${message}`);
}

describe("a device tree that is written and read", () => {
  it("is the same tree", () => {
    fc.assert(
      fc.property(arbitraryTree, (tree) => {
        const bytes = encodeDeviceTree(tree);
        expect(decoded(bytes)).toEqual(tree);
        return Buffer.compare(bytes, encodeDeviceTree(decoded(bytes))) === 0;
      }),
    );
  });

  it("keeps the order of properties and nodes, which equality of maps does not show", () => {
    const names = [...allNodes(decoded(blob).root)].map(({ path }) => path);
    expect(names).toEqual([
      "/",
      "/memory@40000000",
      "/soc",
      "/soc/serial@1000",
      "/soc/serial@2000",
    ]);
    expect([...decoded(blob).root.properties.keys()]).toEqual(["#address-cells", "compatible"]);
  });

  it("names each property once among its strings, in the order of first use", () => {
    const strings = blob.subarray(blob.readUInt32BE(12)).toString("latin1");
    expect(strings).toBe("#address-cells\0compatible\0reg\0");
  });

  it("may lie anywhere in a buffer", () => {
    const bytes = Buffer.concat([Buffer.from([1]), blob]).subarray(1);
    expect(decoded(bytes)).toEqual(small);
  });
});

describe("encodeDeviceTree", () => {
  it("throws at what could not be read back", () => {
    const withRoot = (root: DeviceTreeNode) => () => encodeDeviceTree({ ...small, root });
    expect(withRoot(node("root"))).toThrow("the name root");
    expect(withRoot(node("", { "a b": cells() }))).toThrow('"a b"');
    expect(withRoot(node("", {}, [node("a/b")]))).toThrow('"a/b"');
    expect(withRoot(node("", {}, [node("a"), node("a")]))).toThrow('"a"');
    expect(withRoot(node("", { big: new Uint8Array(2 ** 21) }))).toThrow("bytes");
    const empty = { ...small, reservations: [{ address: 0n, bytes: 0n }] };
    expect(() => encodeDeviceTree(empty)).toThrow("reservation");
  });
});

describe("decodeDeviceTree", () => {
  const structure = blob.readUInt32BE(8);
  const property = structure + 8;
  it.each<[fault: string, change: (b: Buffer) => Buffer | undefined]>([
    ["DOMB3101 board.dtb: the file's end at byte 0x27, wanted a header", (b) => b.subarray(0, 39)],
    ["magic is 0xedfe0dd0 at byte 0x0, wanted 0xd00dfeed", (b) => void b.subarray(0, 4).reverse()],
    ["totalsize is 0x", (b) => Buffer.concat([b, b])],
    ["version is 0x10 at byte 0x14, wanted at least 0x11", (b) => void b.writeUInt32BE(16, 20)],
    ["last_comp_version is 0x12", (b) => void b.writeUInt32BE(18, 24)],
    [
      "off_dt_struct is 0x49 at byte 0x8, wanted a multiple of 4",
      (b) => void b.writeUInt32BE(73, 8),
    ],
    ["off_dt_strings is 0xffffffff", (b) => void b.writeUInt32BE(0xffffffff, 12)],
    [
      "off_mem_rsvmap is 0x2c at byte 0x10, wanted a multiple of 8",
      (b) => void b.writeUInt32BE(44, 16),
    ],
    ["size_dt_strings is 0xffffffff", (b) => void b.writeUInt32BE(0xffffffff, 32)],
    ["size_dt_struct is 0xffffffff", (b) => void b.writeUInt32BE(0xffffffff, 36)],
    [
      "the reservations at byte 0x20, wanted nothing of it",
      (b) => void b.fill(0, 32).writeUInt32BE(32, 16),
    ],
    ["the structure at byte 0x48, wanted nothing", (b) => void b.writeUInt32BE(structure, 12)],
    ["reservations that end", (b) => void b.writeUInt32BE(b.length - (b.length % 8), 16)],
    ["DOMB3102 board.dtb: token 0x2 at byte 0x48", (b) => void b.writeUInt32BE(2, structure)],
    ["token 0x7 at byte 0x50", (b) => void b.writeUInt32BE(7, property)],
    ["a property's length 0xffffffff", (b) => void b.writeUInt32BE(0xffffffff, property + 4)],
    ["a property's nameoff 0x1e", (b) => void b.writeUInt32BE(30, property + 8)],
    ["the structure's end", (b) => void b.writeUInt32BE(b.readUInt32BE(36) - 4, 36)],
    ["a name without end", (b) => void b.writeUInt32BE(b.readUInt32BE(32) - 1, 32)],
    ['DOMB3103 board.dtb: the node name "x" at byte 0x4c', (b) => void b.write("x", structure + 4)],
    ['the property name ""', (b) => void b.writeUInt32BE(14, property + 8)],
    ['the node name "a/', (b) => void b.write("a/", b.indexOf("memory"))],
    ['the node name "serial@1000"', (b) => void b.write("1", b.indexOf("serial@2") + 7)],
  ])("says %s", (fault, change) => {
    const [only = "", ...more] = told(change);
    expect(only).toContain(fault);
    expect(only).toMatch(/ at byte 0x[0-9a-f]+, wanted /);
    expect(more).toEqual([]);
  });

  it("gives the place where the file is named", () => {
    const result = read(new Uint8Array(0));
    expect(!result.ok && result.diagnostics[0]?.place).toEqual(source.place);
  });

  it("bounds the depth", () => {
    const deep = (levels: number): DeviceTree => {
      let root = node("");
      for (let level = 1; level < levels; level++) {
        root = node("", {}, [{ ...root, name: "n" }]);
      }
      return { ...small, root };
    };
    const deepest = Buffer.from(encodeDeviceTree(deep(MAX_TREE_DEPTH)));
    expect(read(deepest).ok).toBe(true);
    expect(() => encodeDeviceTree(deep(MAX_TREE_DEPTH + 1))).toThrow("deep");
    // A property-less deepest node, with one more begun in place of its end.
    const structure = deepest.readUInt32BE(8);
    const end = structure + 8 * MAX_TREE_DEPTH;
    deepest.writeUInt32BE(1, end);
    deepest.write("m\0\0\0", end + 4, "latin1");
    const result = read(deepest);
    expect(!result.ok && result.diagnostics[0]?.message).toContain("at most 64 deep");
  });

  it("tells every tree that is cut short", () => {
    for (let length = 0; length < blob.length; length++) {
      expect(read(blob.subarray(0, length)).ok, `${length} bytes`).toBe(false);
    }
  });

  it("throws at no byte string, and what it accepts can be written again", () => {
    const isSound = (bytes: Uint8Array): void => {
      const result = read(bytes);
      if (!result.ok) expect(result.diagnostics).toHaveLength(1);
      else expect(decoded(encodeDeviceTree(result.value))).toEqual(result.value);
    };
    const change = fc.tuple(fc.nat({ max: blob.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
        const bytes = Buffer.from(blob);
        for (const [at, value] of changes) bytes.writeUInt8(value, at);
        isSound(bytes);
      }),
      { numRuns: 5000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), isSound));
  });
});

describe("values of properties", () => {
  it("are read as they were written", () => {
    const cell = fc.nat({ max: 0xffff_ffff });
    const number64 = fc.bigInt(0n, 0xffff_ffff_ffff_ffffn);
    const text = fc.string({ unit: "grapheme" }).filter((value) => !value.includes("\0"));
    fc.assert(
      fc.property(
        fc.array(cell),
        fc.array(number64),
        fc.array(text, { minLength: 1 }),
        (a, b, c) => {
          expect(readCells(cells(...a))).toEqual(a);
          expect(readRows(cells64(...b), [2])).toEqual(b.map((number) => [number]));
          expect(readTexts(texts(...c))).toEqual(c);
        },
      ),
    );
  });

  it("have rows of numbers as wide as the parent says", () => {
    expect(readRows(cells(1, 2, 3, 4, 5, 6), [2, 1])).toEqual([
      [0x1_0000_0002n, 3n],
      [0x4_0000_0005n, 6n],
    ]);
    expect(readRows(cells(1, 2), [1, 0])).toEqual([
      [1n, 0n],
      [2n, 0n],
    ]);
    expect(readRows(cells(1, 2, 3), [1, 1])).toBeUndefined();
    expect(readRows(cells(), [0, 0])).toBeUndefined();
  });

  it("are refused where they are something else", () => {
    expect(readCells(new Uint8Array(3))).toBeUndefined();
    expect(readTexts(new Uint8Array(0))).toBeUndefined();
    expect(readTexts(Buffer.from("open"))).toBeUndefined();
    expect(readTexts(Buffer.from([0xff, 0]))).toBeUndefined();
    expect(readText(texts("one", "two"))).toBeUndefined();
    expect(readText(texts("one"))).toBe("one");
    expect(() => cells(-1)).toThrow(RangeError);
    expect(() => cells64(2n ** 64n)).toThrow(RangeError);
    expect(() => texts("a\0b")).toThrow(RangeError);
  });
});

describe("nodes", () => {
  it("are found by path, with or without unit address", () => {
    expect(nodeAt(small.root, "/")).toBe(small.root);
    expect(nodeAt(small.root, "/memory")?.name).toBe("memory@40000000");
    expect(nodeAt(small.root, "/soc/serial@2000")?.name).toBe("serial@2000");
    expect(nodeAt(small.root, "/soc/serial")).toBeUndefined();
    expect(nodeAt(small.root, "/cpus/cpu@0")).toBeUndefined();
    expect(childNamed(small.root, "soc")?.name).toBe("soc");
  });

  it("are found by what they are compatible with", () => {
    const paths = nodesCompatibleWith(small.root, "arm,pl011").map(({ path }) => path);
    expect(paths).toEqual(["/soc/serial@1000", "/soc/serial@2000"]);
  });
});

describe("dtc and QEMU", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "domb-device-tree-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What dtc makes of these bytes. */
  function dtc(from: "dts" | "dtb", to: "dts" | "dtb", input: Uint8Array): Buffer {
    const words = ["-q", "-I", from, "-O", to, "-"];
    return execFileSync("dtc", words, { input, stdio: ["pipe", "pipe", "inherit"] });
  }

  it("agree on QEMU's arm64 board, both ways", () => {
    const path = join(folder, "board.dtb");
    const machine = `virt,virtualization=on,gic-version=3,dumpdtb=${path}`;
    execFileSync("qemu-system-aarch64", ["-M", machine, "-cpu", "cortex-a57", "-display", "none"], {
      stdio: "ignore",
      timeout: 60_000,
    });
    const board = readFileSync(path);
    const tree = decoded(board);
    expect(readText(nodeAt(tree.root, "/psci")?.properties.get("method") ?? cells())).toBe("smc");

    const ours = encodeDeviceTree(tree);
    writeFileSync(join(folder, "ours.dtb"), ours);
    // dtc reads the same text from both, and we the same tree from what it writes of either.
    expect(dtc("dtb", "dts", ours).equals(dtc("dtb", "dts", board))).toBe(true);
    expect(decoded(dtc("dtb", "dtb", ours))).toEqual(tree);
    expect(decoded(dtc("dts", "dtb", dtc("dtb", "dts", ours)))).toEqual(tree);
  });

  it("agree on any tree", () => {
    fc.assert(
      fc.property(arbitraryTree, (tree) => {
        expect(decoded(dtc("dtb", "dtb", encodeDeviceTree(tree)))).toEqual(tree);
      }),
      { numRuns: 40 },
    );
  });
});
