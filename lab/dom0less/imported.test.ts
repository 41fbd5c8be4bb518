// SPDX-License-Identifier: Apache-2.0
// A set-up of dom0less, imported, is a launch: the same tree that an unpatched Xen starts two Linux
// domains by.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { domb } from "../../cli/run-domb.js";
import { encodeDeviceTree } from "../../compiler/device-tree/encode.js";
import { paths } from "../../setup/paths.js";
import { defaultMarker } from "../boot.js";
import { booted, compiledFile } from "../lab-bench.js";
import { dom0lessTree, type LinuxDomain } from "./boot-dom0less.js";

const domain = (name: string): LinuxDomain => ({
  commandLine: `console=ttyAMA0 quiet domain=${name}`,
  memoryBytes: 128 * 0x100000,
  knowsXen: false,
});
const kernel = { file: "kernel", address: 0x50000000, bytes: 0x1a00000 };
const ramdisk = { file: "ramdisk", address: 0x54000000, bytes: 0x100000 };

let directory: string;
const at = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "domb-import-"));
  const tree = await dom0lessTree([domain("one"), domain("two")], [kernel, ramdisk]);
  await writeFile(at("host.dtb"), encodeDeviceTree(tree));
});

afterAll(() => rm(directory, { recursive: true }));

describe("a device tree by which Xen starts domains, imported", () => {
  it("gives a description that domb takes as it is, and the board without domains", async () => {
    const materials = [
      `0x50000000=${paths.arm64GuestKernel}`,
      `0x54000000=${paths.arm64GuestRamdisk}`,
    ].flatMap((material) => ["--material", material]);
    const written = ["-o", at("launch.yaml"), "--board", at("board.dtb")];
    const imported = await domb("import", "devicetree", at("host.dtb"), ...materials, ...written);
    expect(imported.exitCode).toBe(0);
    const checked = await domb("check", at("launch.yaml"));
    expect(`${checked.stdout}${checked.stderr}`).not.toContain("error");
    expect(checked.exitCode).toBe(0);
    expect((await readFile(at("board.dtb"))).includes("xen,domain")).toBe(false);
  });

  it("launches, and both Linux domains come up [RFC-ALIKE]", async () => {
    const { image, xenCommandLine } = await compiledFile(at("launch.yaml"));
    const { outcome, outputs } = await booted(image, xenCommandLine);
    expect(outcome).toMatchObject({ arch: "arm64", status: "success" });
    expect(Object.values(outputs).filter((text) => text.includes(defaultMarker))).toHaveLength(2);
  }, 600_000);
});
