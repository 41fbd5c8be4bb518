// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { paths } from "../../setup/paths.js";
import { readDescription } from "../description/load-description.js";
import { arbitraryTree } from "../device-tree/arbitrary-tree.js";
import { decodeDeviceTree } from "../device-tree/decode.js";
import {
  allNodes,
  type DeviceTree,
  type DeviceTreeNode,
  nodeAt,
} from "../device-tree/device-tree.js";
import { cells, cells64, texts } from "../device-tree/values.js";
import { boardOf } from "./board.js";
import { importDeviceTree } from "./device-tree.js";
import {
  chosenProperties,
  domainProperties,
  moduleProperties,
  nodeKinds,
} from "./device-tree-keys.js";
import type { Import } from "./report.js";
import { showValue } from "./xen-nodes.js";

const source = join(paths.checkout, "compiler", "importers", "two-domains.dts");
const blob = execFileSync("dtc", ["-q", "-I", "dts", "-O", "dtb", source]);
const decoded = decodeDeviceTree(blob, { place: {}, name: source });
if (!decoded.ok) throw new Error(decoded.diagnostics[0]?.message);
const twoDomains = decoded.value;

const files = new Map([
  [0x5000_0000n, "./Image"],
  [0x5400_0000n, "./initrd.gz"],
  [0x4f00_0000n, "./xenpolicy"],
]);

function importTree(tree: DeviceTree, materials: ReadonlyMap<bigint, string> = files) {
  return importDeviceTree(tree, { file: "host.dtb", board: "./board.dtb", materials });
}

function imported(tree: DeviceTree, materials?: ReadonlyMap<bigint, string>): Import {
  const result = importTree(tree, materials);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.value;
}

/** What is said of a domain's tree. */
function told(tree: DeviceTree, materials = new Map<bigint, string>()): string[] {
  return importTree(tree, materials).diagnostics.map(({ code, message }) => `${code} ${message}`);
}

function node(
  name: string,
  properties: Record<string, Uint8Array>,
  children: readonly DeviceTreeNode[] = [],
): DeviceTreeNode {
  return { name, properties: new Map(Object.entries(properties)), children };
}

const kernel = node("module@1000", {
  compatible: texts("multiboot,kernel", "multiboot,module"),
  reg: cells64(0x1000, 0x1000),
});

/** A tree with one domain, of these properties beside those that it needs. */
function oneDomain(
  properties: Record<string, Uint8Array> = {},
  modules: readonly DeviceTreeNode[] = [kernel],
): DeviceTree {
  const needed = {
    compatible: texts("xen,domain"),
    "#address-cells": cells(2),
    "#size-cells": cells(2),
    memory: cells64(0x10000),
    cpus: cells(1),
  };
  const domain = node("one", { ...needed, ...properties }, modules);
  return { bootCpu: 0, reservations: [], root: node("", {}, [node("chosen", {}, [domain])]) };
}

describe("a device tree with two domains", () => {
  it("becomes a launch description with both, in their order", () => {
    expect(parse(imported(twoDomains).description)).toEqual({
      domb: 1,
      arch: "arm64",
      host: { board: "./board.dtb" },
      policy: { xsm: "./xenpolicy" },
      domains: {
        front: {
          kernel: "./Image",
          ramdisk: "./initrd.gz",
          cmdline: "console=ttyAMA0 rdinit=/init dom=1",
          memory: "128 MiB",
          vcpus: 1,
          roles: ["control"],
          output: "xen-log",
        },
        "nd_domain-2": { kernel: "./Image", memory: "64 MiB", vcpus: 2 },
      },
    });
  });

  it("says of every key what became of it", () => {
    const { keys } = imported(twoDomains);
    const chosen = nodeAt(twoDomains.root, "/chosen");
    if (chosen === undefined) throw new Error("no /chosen");
    const whole = new Set(keys.filter(({ key }) => key === "(node)").map(({ where }) => where));
    for (const { path, node: below } of allNodes(chosen)) {
      const where = path === "/" ? "/chosen" : `/chosen${path}`;
      if (whole.has(where)) continue;
      for (const key of below.properties.keys()) {
        expect(
          keys.filter((one) => one.where === where && one.key === key),
          key,
        ).toHaveLength(1);
      }
    }
    expect(keys).toContainEqual({
      where: "/chosen/2nd_domain@2",
      key: "xen,static-mem",
      value: "<0x0 0x60000000 0x0 0x4000000>",
      ...domainProperties["xen,static-mem"],
    });
    expect(keys).toContainEqual(
      expect.objectContaining({ key: "xen,passthrough", treatment: "dropped" }),
    );
  });

  it("warns of dom0 and of a key that is unknown", () => {
    expect(importTree(twoDomains).diagnostics).toMatchObject([
      { code: "DOMB1502", severity: "warning", place: { path: ["/chosen/2nd_domain@2"] } },
      { code: "DOMB1508", severity: "warning" },
    ]);
  });

  it("keeps Xen's options, without dom0's", () => {
    expect(imported(twoDomains).xenOptions).toBe("console=dtuart loglvl=all");
  });

  it("leaves the board's hardware, and nothing of domains", () => {
    const { root } = boardOf(twoDomains);
    expect([...allNodes(root)].map(({ path }) => path)).toEqual([
      "/",
      "/memory@40000000",
      "/soc",
      "/soc/ethernet@a000000",
      "/chosen",
    ]);
    const properties = (path: string) => [...(nodeAt(root, path)?.properties.keys() ?? [])];
    expect(properties("/chosen")).toEqual(["#address-cells", "#size-cells", "stdout-path"]);
    expect(properties("/soc/ethernet")).toEqual(["compatible"]);
  });
});

describe("a module without a file", () => {
  it("has a placeholder, which says what to fill in, and a warning", () => {
    const { description, unknownFiles } = imported(oneDomain(), new Map());
    expect(description).toContain(
      "kernel: ./FILL-IN/file-at-0x1000 # fill in: kernel of one, loaded at 0x1000\n",
    );
    expect(unknownFiles).toEqual([
      {
        path: ["domains", "one", "kernel"],
        placeholder: "./FILL-IN/file-at-0x1000",
        whatItIs: "kernel of one, loaded at 0x1000",
      },
    ]);
    expect(told(oneDomain())).toEqual([
      "DOMB1505 no file is named for the kernel of one, which is loaded at 0x1000",
    ]);
  });

  it("has the file that EFI would load", () => {
    const module = node("kernel", {
      compatible: texts("multiboot,kernel", "multiboot,module"),
      "xen,uefi-binary": texts("Image-one"),
    });
    const { description } = imported(oneDomain({}, [module]), new Map());
    expect(description).toContain("kernel: ./Image-one\n");
  });

  it("is no place for a file that no module has", () => {
    const [first] = told(oneDomain(), new Map([[0x2000n, "./Image"]])).slice(1);
    expect(first).toBe("DOMB1507 ./Image is named for address 0x2000, where no module lies");
  });
});

describe("what is wrong with a domain", () => {
  const ramdisk = node("r", { compatible: texts("multiboot,ramdisk", "multiboot,module") });
  const unclear = node("u", { compatible: texts("multiboot,module"), reg: cells64(1, 1) });
  it.each<[wrong: string, tree: DeviceTree]>([
    [
      "DOMB1501 memory of /chosen/one is <0x20000>; wanted: 2 cells",
      oneDomain({ memory: cells(0x20000) }),
    ],
    [
      "DOMB1501 cpus of /chosen/one is <0x0 0x1>; wanted: one cell",
      oneDomain({ cpus: cells64(1) }),
    ],
    ["DOMB1506 domain /chosen/one has no kernel module", oneDomain({}, [])],
    [
      "DOMB1501 reg of /chosen/one/r is missing; wanted: 2 cells of address",
      oneDomain({}, [kernel, ramdisk]),
    ],
    [
      "DOMB1501 module /chosen/one/module@1000 is one multiboot,kernel more",
      oneDomain({}, [kernel, kernel]),
    ],
    ["DOMB1501 module /chosen/one/u does not say what it is", oneDomain({}, [kernel, unclear])],
    ["DOMB1504 the set-up starts no domain", { ...twoDomains, root: node("", {}) }],
    ["DOMB1023 memory of domain one is 1 KiB", oneDomain({ memory: cells64(1) })],
    ["DOMB1018 vcpus of domain one is 0", oneDomain({ cpus: cells(0) })],
  ])("is told: %s", (wrong, tree) => {
    expect(told(tree).join("\n")).toContain(wrong);
    expect(importTree(tree, new Map()).ok).toBe(false);
  });
});

describe("the importer of device trees", () => {
  it("throws at no tree, and gives only descriptions of the right form", () => {
    const anyOf = (table: object) => fc.constantFrom(...Object.keys(table), "module", "reg", "x");
    const value = fc.oneof(
      fc.uint8Array({ maxLength: 16 }),
      fc.constantFrom(cells(1), cells64(0x10000), cells64(0x1000, 0x1000), texts("text")),
    );
    const propertiesOf = (table: object, kinds: readonly string[]) =>
      fc
        .tuple(
          fc.dictionary(anyOf(table), value, { noNullPrototype: true }),
          fc.option(fc.subarray([...kinds]).map((some) => texts(...some))),
        )
        .map(([some, compatible]) => (compatible === null ? some : { ...some, compatible }));
    const kinds = [...Object.keys(nodeKinds), "multiboot,module"];
    const module = fc
      .tuple(fc.constantFrom("a", "b@1", "c"), propertiesOf(moduleProperties, kinds))
      .map(([name, properties]) => node(name, properties));
    const modules = fc.uniqueArray(module, { selector: ({ name }) => name });
    const domain = fc
      .tuple(fc.constantFrom("1", "d@1", "d-1"), propertiesOf(domainProperties, kinds), modules)
      .map(([name, properties, below]) => node(name, properties, below));
    const withDomain = fc
      .tuple(propertiesOf(domainProperties, []), modules)
      .map(([properties, below]) => oneDomain(properties, [kernel, ...below]));
    let accepted = 0;
    const likely = fc
      .tuple(
        propertiesOf(chosenProperties, kinds),
        fc.uniqueArray(domain, { selector: ({ name }) => name }),
      )
      .map(([properties, below]) => ({
        bootCpu: 0,
        reservations: [],
        root: node("", {}, [node("chosen", properties, below)]),
      }));
    fc.assert(
      fc.property(fc.oneof(likely, withDomain, arbitraryTree), (tree) => {
        const result = importTree(tree, new Map());
        if (!result.ok) return result.diagnostics.some(({ severity }) => severity === "error");
        accepted++;
        boardOf(tree);
        const faults = readDescription(result.value.description, "launch.yaml").diagnostics;
        return faults.every(({ code }) => ["DOMB1012", "DOMB1015"].includes(code));
      }),
      { numRuns: 1000 },
    );
    expect(accepted).toBeGreaterThan(0);
  });
});

describe("a value of a property", () => {
  it.each([
    [new Uint8Array(0), ""],
    [texts("one", "two"), '"one", "two"'],
    [cells(1, 0x20), "<0x1 0x20>"],
    [Buffer.from([0, 1, 2]), "[000102]"],
    [texts("a\u001b[2J"), "[611b5b324a00]"],
  ])("is shown as a source has it", (value, shown) => {
    expect(showValue(value)).toBe(shown);
  });
});
