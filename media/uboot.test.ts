// SPDX-License-Identifier: Apache-2.0
// Boot media for U-Boot as files: where parts go in memory, what the script and the FIT image say, and
// that the same parts give the same bytes. lab/boot-media boots them.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeDeviceTree } from "../compiler/device-tree/decode.js";
import {
  type DeviceTree,
  type DeviceTreeNode,
  nodeAt,
  nodesCompatibleWith,
} from "../compiler/device-tree/device-tree.js";
import { encodeDeviceTree } from "../compiler/device-tree/encode.js";
import {
  cells,
  cells64,
  readRows,
  readText,
  readTexts,
  texts,
} from "../compiler/device-tree/values.js";
import { paths } from "../setup/paths.js";
import { placeInMemory } from "./board-memory.js";
import { fitPaths, makeFit } from "./fit.js";
import type { LaunchParts } from "./launch-parts.js";
import { MediaError } from "./problem.js";
import type { Signer } from "./sign.js";
import { type BoardTree, bootScript, checkBoard, layOut, ubootFiles } from "./uboot.js";

const MEBIBYTE = 0x100000;

const bytes = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + seed) % 251);

const parts: LaunchParts = {
  bootDomain: bytes(5001, 1),
  image: bytes(3 * MEBIBYTE + 3, 2),
  policy: bytes(33, 3),
  xenOptions: ["boot-domain=6M", "console=dtuart"],
};

interface Range {
  readonly address: number;
  readonly bytes: number;
}

const none: Uint8Array = new Uint8Array();

const node = (
  name: string,
  properties: Readonly<Record<string, Uint8Array>>,
  children: readonly DeviceTreeNode[] = [],
): DeviceTreeNode => ({ name, properties: new Map(Object.entries(properties)), children });

const reg = (ranges: readonly Range[]): Uint8Array =>
  cells64(...ranges.flatMap((range) => [range.address, range.bytes]));

const wide = { "#address-cells": cells(2), "#size-cells": cells(2) };

/** A board with this memory, and what of it is reserved. */
function boardWith(
  banks: readonly Range[],
  reserved: readonly Range[] = [],
  more: readonly DeviceTreeNode[] = [],
): DeviceTree {
  const memory = banks.map((bank) =>
    node(`memory@${bank.address.toString(16)}`, { device_type: texts("memory"), reg: reg([bank]) }),
  );
  const kept = reserved.map((range, index) => node(`kept@${index}`, { reg: reg([range]) }));
  const root = node("", wide, [...memory, node("reserved-memory", wide, kept), ...more]);
  return { bootCpu: 0, reservations: [], root };
}

const asFile = (tree: DeviceTree): BoardTree => ({ tree, bytes: encodeDeviceTree(tree) });
const board = asFile(boardWith([{ address: 0x40000000, bytes: 1024 * MEBIBYTE }]));

function decoded(file: Uint8Array): DeviceTree {
  const tree = decodeDeviceTree(file, { place: {}, name: "tree" });
  if (!tree.ok) throw new Error(tree.diagnostics.map(({ message }) => message).join("\n"));
  return tree.value;
}

const overlap = (a: Range, b: Range): boolean =>
  a.address < b.address + b.bytes && b.address < a.address + a.bytes;

let folder: string;
let xen: Uint8Array;
let signer: Signer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-uboot-media-"));
  xen = await readFile(paths.xen("4.17", "arm64"));
  signer = { keyPath: join(folder, "our.key"), certificatePath: join(folder, "our.pem") };
  await execa("openssl", [
    ...["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-subj", "/CN=test", "-days", "3650"],
    ...["-keyout", signer.keyPath, "-out", signer.certificatePath],
  ]);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** What stands in the way, as a MediaError says it. */
function problemOf(work: () => unknown): MediaError["problem"] {
  try {
    work();
  } catch (error) {
    if (error instanceof MediaError) return error.problem;
    throw error;
  }
  throw new Error("nothing stood in the way");
}

describe("parts in a board's memory", () => {
  const mebibytes = (most: number) =>
    fc.integer({ min: 0, max: most }).map((count) => count * MEBIBYTE);
  const ranges = (most: number) =>
    fc.array(fc.record({ address: mebibytes(4096), bytes: mebibytes(most) }), { maxLength: 4 });

  it("never lie over each other, outside memory, or over what is reserved", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 200 * MEBIBYTE }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(ranges(300), mebibytes(2048), sizes, (reserved, second, all) => {
        const bank = { address: 0, bytes: 2048 * MEBIBYTE };
        const banks = [bank, { address: 2 ** 32, bytes: second }];
        let places: readonly number[];
        try {
          places = placeInMemory(boardWith(banks, reserved), all);
        } catch (error) {
          // No room is an answer as well.
          expect(error).toBeInstanceOf(MediaError);
          return;
        }
        const placed = places.map((address, index) => ({ address, bytes: all[index] ?? 0 }));
        for (const [index, one] of placed.entries()) {
          expect(one.address % 0x200000).toBe(0);
          expect(one.address).toBeGreaterThanOrEqual(128 * MEBIBYTE);
          const holder = banks.find(({ address, bytes: length }) =>
            overlap(one, { address, bytes: length }),
          );
          const end = (holder?.address ?? 0) + (holder?.bytes ?? 0);
          expect(one.address + one.bytes).toBeLessThanOrEqual(end - 64 * MEBIBYTE);
          for (const other of [...placed.slice(index + 1), ...reserved]) {
            expect(other.bytes > 0 && overlap(one, other)).toBe(false);
          }
        }
      }),
    );
  });

  it("have a message where there is no room for them", () => {
    const small = boardWith([{ address: 0x40000000, bytes: 200 * MEBIBYTE }]);
    expect(problemOf(() => placeInMemory(small, [9 * MEBIBYTE]))).toMatchObject({
      kind: "unfit-part",
      what: expect.stringContaining("the parts take 9437184 bytes, which the board's memory"),
    });
  });
});

describe("the script for U-Boot", () => {
  it("loads each file to its place and tells Xen of each module there", () => {
    const layout = layOut(xen, board, parts);
    expect(bootScript(layout, board.tree, parts)).toBe(
      [
        "# Starts a launch of domb with U-Boot, from the folder that this script is in.",
        `if ${[
          ["48000000", "xen"],
          ["48200000", "board.dtb"],
          ["48400000", "boot-domain.image"],
          ["48600000", "launch.domb"],
          ["48a00000", "xenpolicy"],
        ]
          .map(
            ([address, file]) =>
              `load \${devtype} \${devnum}:\${distro_bootpart} 0x${address} \${prefix}${file}`,
          )
          .join(" && ")}; then`,
        "fdt addr 0x48200000",
        "fdt resize 0x2000",
        "fdt mknode / chosen",
        'fdt set /chosen "#address-cells" "<2>"',
        'fdt set /chosen "#size-cells" "<2>"',
        'fdt set /chosen xen,xen-bootargs "boot-domain=6M console=dtuart"',
        "fdt mknode /chosen module@48400000",
        'fdt set /chosen/module@48400000 compatible "multiboot,kernel" "multiboot,module"',
        'fdt set /chosen/module@48400000 reg "<0x0 0x48400000 0x0 0x1389>"',
        "fdt mknode /chosen module@48600000",
        'fdt set /chosen/module@48600000 compatible "multiboot,ramdisk" "multiboot,module"',
        'fdt set /chosen/module@48600000 reg "<0x0 0x48600000 0x0 0x300003>"',
        "fdt mknode /chosen module@48a00000",
        'fdt set /chosen/module@48a00000 compatible "xen,xsm-policy" "multiboot,module"',
        'fdt set /chosen/module@48a00000 reg "<0x0 0x48a00000 0x0 0x21>"',
        "setenv fdt_high 0xffffffffffffffff",
        "booti 0x48000000 - 0x48200000",
        "fi",
        "",
      ].join("\n"),
    );
  });

  it("makes no /chosen where the board has one", () => {
    const chosen = asFile(boardWith([{ address: 0, bytes: 2 ** 30 }], [], [node("chosen", {})]));
    const script = bootScript(layOut(xen, chosen, parts), chosen.tree, parts);
    expect(script).not.toContain("mknode / chosen");
  });

  it("refuses a command line that U-Boot can't take", () => {
    const long = { ...parts, xenOptions: ["x".repeat(1024)] };
    expect(problemOf(() => bootScript(layOut(xen, board, long), board.tree, long))).toMatchObject({
      kind: "unfit-part",
      what: "Xen's command line has 1024 bytes; U-Boot's fdt command takes 1023",
    });
  });

  it("is the same each time, as text and as U-Boot takes it, behind the files that it names", async () => {
    const files = await ubootFiles(xen, board, parts);
    expect(files.map(({ path }) => path)).toEqual([
      ...["xen", "board.dtb", "boot-domain.image", "launch.domb", "xenpolicy"],
      ...["boot.cmd", "boot.scr"],
    ]);
    const again = await ubootFiles(xen, board, parts);
    for (const [index, file] of files.entries()) {
      expect(Buffer.compare(file.bytes, again[index]?.bytes ?? none)).toBe(0);
    }
    const script = Buffer.from(files.at(-1)?.bytes ?? none);
    expect(script.includes(Buffer.from(files.at(-2)?.bytes ?? none))).toBe(true);
  });
});

describe("the FIT image for U-Boot", () => {
  it("holds all parts with their places, and a signature over all of them", async () => {
    // Small enough for the reader of device trees.
    const small = { ...parts, image: bytes(0x1000, 4) };
    const { fit, controlTree, address } = await makeFit(xen, board, small, signer);
    const { root } = decoded(fit);
    const layout = layOut(xen, board, small, fit.length);
    const contents = { xen, kernel: small.bootDomain, ramdisk: small.image, policy: small.policy };
    for (const [name, content = none] of Object.entries(contents)) {
      const data = nodeAt(root, `/images/${name}`)?.properties.get("data") ?? none;
      expect(Buffer.compare(data, content)).toBe(0);
    }
    const load = (name: string) =>
      readRows(nodeAt(root, `/images/${name}`)?.properties.get("load") ?? none, [2])?.[0]?.[0];
    expect(load("xen")).toBe(BigInt(layout.xen));
    expect(load("board")).toBe(BigInt(layout.board));
    for (const module of layout.modules) expect(load(module.kind)).toBe(BigInt(module.address));
    expect(address).toBe(layout.whole);

    const signature = nodeAt(root, "/configurations/launch/signature-1")?.properties;
    const hashed = readTexts(signature?.get("hashed-nodes") ?? none);
    for (const name of ["xen", "board", "kernel", "ramdisk", "policy"]) {
      expect(hashed).toContain(`/images/${name}`);
      expect(hashed).toContain(`/images/${name}/hash-1`);
    }
    expect(hashed).toContain("/configurations/launch");

    const control = decoded(controlTree).root;
    const key = nodeAt(control, "/signature/key-domb")?.properties;
    expect(readText(key?.get("required") ?? none)).toBe("conf");
    expect(readText(key?.get("algo") ?? none)).toBe("sha256,rsa2048");
    const hardware = control.children.filter(({ name }) => name !== "signature");
    expect(hardware).toEqual(board.tree.root.children);
  });

  it("gives Xen the board's tree with the boot modules, and names no domain", async () => {
    const small = { ...parts, image: bytes(0x1000, 4) };
    const { fit } = await makeFit(xen, board, small, signer);
    const data = nodeAt(decoded(fit).root, "/images/board")?.properties.get("data") ?? none;
    const { root } = decoded(data);
    const chosen = nodeAt(root, "/chosen");
    expect(readText(chosen?.properties.get("xen,xen-bootargs") ?? none)).toBe(
      "boot-domain=6M console=dtuart",
    );
    expect(nodesCompatibleWith(root, "multiboot,module")).toHaveLength(3);
    expect(nodesCompatibleWith(root, "xen,domain")).toEqual([]);
    expect(root.children.filter(({ name }) => name !== "chosen")).toEqual(board.tree.root.children);
  });

  it("can be larger than a tree that Xen maps, and is the same each time", async () => {
    const one = await makeFit(xen, board, parts, signer);
    const two = await makeFit(xen, board, parts, signer);
    expect(one.fit.length).toBeGreaterThan(parts.image.length);
    expect(Buffer.compare(one.fit, two.fit)).toBe(0);
    expect(Buffer.compare(one.controlTree, two.controlTree)).toBe(0);
    expect(fitPaths.fit).toBe("launch.itb");
  });
});

describe("a board's device tree", () => {
  it.each(["multiboot,module", "xen,domain"])("has no node that is compatible with %s", (text) => {
    const wrong = node("chosen", {}, [node("module@1", { compatible: texts("x", text) })]);
    const tree = boardWith([], [], [wrong]);
    expect(problemOf(() => checkBoard(tree, "board.dtb"))).toMatchObject({
      kind: "unfit-part",
      what: `board.dtb has /chosen/module@1, which is compatible with ${text}`,
    });
    checkBoard(board.tree, "board.dtb");
  });
});
