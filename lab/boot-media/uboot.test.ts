// SPDX-License-Identifier: Apache-2.0
// A launch as Debian's U-Boot starts it from a disk on arm64: by a script, which checks nothing, and
// from a signed FIT image, where U-Boot's control tree has the key and requires it.

import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../../compiler/compile.js";
import { decodeDeviceTree } from "../../compiler/device-tree/decode.js";
import { nodeAt } from "../../compiler/device-tree/device-tree.js";
import { ImageHeader } from "../../contract/image.js";
import { fitFiles, fitPaths } from "../../media/fit.js";
import type { LaunchParts, MediumFile } from "../../media/launch-parts.js";
import { type BoardTree, ubootFiles } from "../../media/uboot.js";
import { paths } from "../../setup/paths.js";
import { readBoard } from "../host-arm64.js";
import { compiled } from "../lab-bench.js";
import { expectedDomains, partsOf, timeLimitSeconds } from "./efi-bench.js";
import { bootMedia } from "./media-host.js";
import { makeTestKey, type TestKey } from "./test-key.js";

const hello = {
  kernel: "build/guests/arm64/hello.elf",
  memory: "64 MiB",
  output: "xen-log",
} as const;

let folder: string;
let launch: CompiledLaunch;
let parts: LaunchParts;
let xen: Uint8Array;
let board: BoardTree;
let key: TestKey;
let signed: readonly MediumFile[];
let controlTree: Uint8Array | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-uboot-"));
  key = await makeTestKey(folder, "trusted");
  launch = await compiled({
    domb: 1,
    policy: { xsm: "build/xen-policy/policy" },
    domains: { first: hello, second: hello },
  });
  parts = await partsOf(launch);
  xen = await readFile(paths.xen("4.17", "arm64"));
  board = { bytes: await readFile(paths.arm64Board), tree: await readBoard() };
  signed = await fitFiles(xen, board, parts, key);
  controlTree = signed.find(({ path }) => path === fitPaths.controlTree)?.bytes;
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const boot = (files: readonly MediumFile[], tree?: Uint8Array) =>
  bootMedia({
    machine: { kind: "uboot", files, controlTree: tree },
    domains: expectedDomains(launch),
    timeLimitSeconds,
  });

/** The signed medium with another FIT image. */
const withFit = (bytes: Uint8Array): readonly MediumFile[] =>
  signed.map((file) => (file.path === fitPaths.fit ? { ...file, bytes } : file));

/** The signed FIT image, and where a part's bytes and their digest lie in it. */
function fitOf(part: string): { fit: Buffer; data: Buffer; at: number; digestAt: number } {
  const fit = Buffer.from(signed.find(({ path }) => path === fitPaths.fit)?.bytes ?? []);
  const tree = decodeDeviceTree(fit, { place: {}, name: fitPaths.fit });
  const node = tree.ok ? nodeAt(tree.value.root, `/images/${part}`) : undefined;
  const data = Buffer.from(node?.properties.get("data") ?? []);
  const digest = Buffer.from(node?.children[0]?.properties.get("value") ?? []);
  if (data.length === 0 || digest.length === 0) throw new Error(`no part ${part}`);
  const at = fit.indexOf(data);
  return { fit, data, at, digestAt: fit.indexOf(digest, at) };
}

/** The FIT image with one bit changed in a part, the image's plan, and perhaps the part's digest. */
function changedFit(part: string, { digest = false } = {}): Buffer {
  const { fit, data, at, digestAt } = fitOf(part);
  const changed = part === "ramdisk" ? data.readUInt32LE(ImageHeader.planOffset) : 200;
  data.writeUInt8(data.readUInt8(changed) ^ 1, changed);
  data.copy(fit, at);
  if (digest) createHash("sha256").update(data).digest().copy(fit, digestAt);
  return fit;
}

const started = /^\(XEN\)/m;
const allParts = ["xen", "board", "kernel", "ramdisk", "policy"];

describe("U-Boot", () => {
  it("starts a launch with its policy by the script, and every domain comes up", async () => {
    const { status, lines } = await boot(await ubootFiles(xen, board, parts));
    expect({ status, lines: status === "success" ? [] : lines }).toEqual({
      status: "success",
      lines: [],
    });
    const log = lines.join("\n");
    expect(log).toContain("Found U-Boot script /boot.scr");
    expect(log).toContain("Flask:  Starting in enforcing mode.");
  });

  it("starts nothing where a file is missing", async () => {
    const files = await ubootFiles(xen, board, parts);
    const { status, reason, lines } = await boot(
      files.filter(({ path }) => path !== "launch.domb"),
    );
    expect({ status, reason }).toEqual({
      status: "refused",
      reason: "Failed to load '/launch.domb'",
    });
    expect(lines.join("\n")).not.toMatch(started);
  });
});

describe("U-Boot that requires a signature", () => {
  it("starts the signed FIT image, and every domain comes up", async () => {
    const { status, lines } = await boot(signed, controlTree);
    expect({ status, lines: status === "success" ? [] : lines }).toEqual({
      status: "success",
      lines: [],
    });
    const log = lines.join("\n");
    expect(log).toContain("Verifying Hash Integrity ... sha256,rsa2048:domb+ OK");
    expect(log).toContain("Flask:  Starting in enforcing mode.");
  });

  it.each(allParts)("refuses it with one byte changed in its %s", async (part) => {
    const { status, reason, lines } = await boot(withFit(changedFit(part)), controlTree);
    expect({ status, reason }).toEqual({
      status: "refused",
      reason: `Bad hash value for 'hash-1' hash node in '${part}' image node`,
    });
    expect(lines.join("\n")).not.toMatch(started);
  });

  it.each(allParts)("refuses it when the digest of its %s is made to match", async (part) => {
    const changed = changedFit(part, { digest: true });
    const { status, reason, lines } = await boot(withFit(changed), controlTree);
    expect({ status, reason }).toEqual({
      status: "refused",
      reason: "Failed to verify required signature 'key-domb'",
    });
    expect(lines.join("\n")).not.toMatch(started);
  });

  it("refuses one that another key has signed", async () => {
    const stranger = await makeTestKey(folder, "stranger");
    const { status, reason } = await boot(await fitFiles(xen, board, parts, stranger), controlTree);
    expect({ status, reason }).toEqual({
      status: "refused",
      reason: "Failed to verify required signature 'key-domb'",
    });
  });

  it("checks digests alone where its control tree has no key: the boot domain finds the rest", async () => {
    expect((await boot(signed)).status).toBe("success");
    expect((await boot(withFit(changedFit("ramdisk")))).status).toBe("refused");
    const { status, reason } = await boot(withFit(changedFit("ramdisk", { digest: true })));
    expect({ status, reason }).toEqual({
      status: "failed",
      reason: expect.stringContaining("launch status planDigest"),
    });
  });
});
