// SPDX-License-Identifier: Apache-2.0
// What QEMU and Xen are told of an arm64 host, and that Xen then starts.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeDeviceTree } from "../compiler/device-tree/decode.js";
import {
  allNodes,
  type DeviceTree,
  isCompatible,
  nodeAt,
  nodesCompatibleWith,
} from "../compiler/device-tree/device-tree.js";
import { encodeDeviceTree } from "../compiler/device-tree/encode.js";
import { readRows, readText, readTexts } from "../compiler/device-tree/values.js";
import { paths } from "../setup/paths.js";
import { dumpBoard } from "./board.js";
import { arm64Words, leastArm64Memory, placeFiles, readBoard } from "./host-arm64.js";
import type { HostRequest } from "./qemu.js";

const mebibyte = 0x100000;

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "domb-arm64-"));
});
afterEach(() => rm(directory, { recursive: true }));

/** A host with modules of these sizes. */
async function request(modules: Readonly<Record<string, number>>): Promise<HostRequest> {
  const kinds = { "boot-domain": "kernel", policy: "policy" } as const;
  for (const [file, bytes] of Object.entries(modules)) {
    await writeFile(join(directory, file), new Uint8Array(bytes));
  }
  return {
    directory,
    xenCommandLine: "console=dtuart boot-domain=64M",
    memoryBytes: 512 * mebibyte,
    moreOptions: [],
    icount: true,
    modules: Object.keys(modules).map((file) => ({
      file,
      kind: kinds[file as keyof typeof kinds] ?? "ramdisk",
    })),
    signal: new AbortController().signal,
  };
}

async function writtenTree(): Promise<DeviceTree> {
  const bytes = await readFile(join(directory, "device-tree"));
  const tree = decodeDeviceTree(bytes, { place: {}, name: "the tree" });
  if (!tree.ok) throw new Error(tree.diagnostics.map(({ message }) => message).join("\n"));
  return tree.value;
}

describe("the board", () => {
  it("is the one that this machine's QEMU emulates, whenever it is asked", async () => {
    const asked = encodeDeviceTree(await dumpBoard());
    expect(Buffer.compare(asked, await readFile(paths.arm64Board))).toBe(0);
  });

  it("holds a GICv3, a UART for the console, and neither seeds nor domains", async () => {
    const { root } = await readBoard();
    expect(nodesCompatibleWith(root, "arm,gic-v3")).toHaveLength(1);
    const chosen = nodeAt(root, "/chosen");
    const console = nodeAt(root, readText(chosen?.properties.get("stdout-path") ?? cellless) ?? "");
    expect(console && isCompatible(console, "arm,pl011")).toBe(true);
    expect([...(chosen?.properties.keys() ?? [])]).toEqual(["stdout-path"]);
    expect(chosen?.children).toEqual([]);
  });
});

const cellless = new Uint8Array();

describe("the device tree that Xen gets", () => {
  it("is the board's own but for /chosen, with Xen's options and the modules", async () => {
    await arm64Words(await request({ "boot-domain": 5000, image: 3 * mebibyte, policy: 100 }));
    const { root } = await writtenTree();
    const board = await readBoard();
    const hardware = (tree: DeviceTree["root"]) =>
      tree.children.filter(({ name }) => name !== "chosen");
    expect(hardware(root)).toEqual(hardware(board.root));
    expect(root.properties).toEqual(board.root.properties);

    const chosen = nodeAt(root, "/chosen");
    expect(readText(chosen?.properties.get("xen,xen-bootargs") ?? cellless)).toBe(
      "console=dtuart boot-domain=64M",
    );
    expect(readText(chosen?.properties.get("stdout-path") ?? cellless)).toBe("/pl011@9000000");
    const modules = chosen?.children.map(({ name, properties }) => ({
      name,
      compatible: readTexts(properties.get("compatible") ?? cellless),
      reg: readRows(properties.get("reg") ?? cellless, [2, 2]),
    }));
    expect(modules).toEqual([
      {
        name: "module@49000000",
        compatible: ["multiboot,kernel", "multiboot,module"],
        reg: [[0x49000000n, 5000n]],
      },
      {
        name: "module@49200000",
        compatible: ["multiboot,ramdisk", "multiboot,module"],
        reg: [[0x49200000n, BigInt(3 * mebibyte)]],
      },
      {
        name: "module@49600000",
        compatible: ["xen,xsm-policy", "multiboot,module"],
        reg: [[0x49600000n, 100n]],
      },
    ]);
  });

  it("[RFC-PARSING] names no domain, and nothing that domains share", async () => {
    await arm64Words(await request({ "boot-domain": 1, image: 1 }));
    const { root } = await writtenTree();
    const domains = [...allNodes(root)].filter(({ node }) =>
      /xen,domain|xen,evtchn|xen,domain-shared/.test(
        Buffer.from(node.properties.get("compatible") ?? cellless).toString("latin1"),
      ),
    );
    expect(domains).toEqual([]);
  });
});

describe("the words for QEMU", () => {
  it("load each module to the address that the tree says", async () => {
    const words = await arm64Words(await request({ "boot-domain": 1, image: 1 }));
    expect(words).toEqual([
      ...["-machine", "virt,virtualization=on,gic-version=3", "-cpu", "cortex-a57"],
      ...["-smp", "1", "-m", "512M"],
      ...[
        "-icount",
        "shift=0,sleep=off",
        "-seed",
        "1",
        "-rtc",
        "base=2026-01-01T00:00:00,clock=vm",
      ],
      ...["-display", "none", "-net", "none", "-no-reboot", "-nodefaults"],
      ...["-serial", "file:serial", "-monitor", "none"],
      ...["-kernel", "xen", "-dtb", "device-tree"],
      ...["-device", "loader,file=boot-domain,addr=0x49000000,force-raw=on"],
      ...["-device", "loader,file=image,addr=0x49200000,force-raw=on"],
    ]);
  });

  it("put no two modules in one place, and need memory up to the last one's end", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2 ** 32 }), { minLength: 1 }), (sizes) => {
        const placed = placeFiles(sizes.map((bytes) => ({ bytes })));
        for (const [index, { address, bytes }] of placed.entries()) {
          const next = placed[index + 1]?.address ?? 0x40000000 + leastArm64Memory(sizes);
          expect(address + bytes).toBeLessThanOrEqual(next);
        }
      }),
    );
  });
});
