// SPDX-License-Identifier: Apache-2.0
// One file for EFI firmware that holds all of a launch: Xen with its configuration, boot domain,
// launch image and policy as sections of their own, which Xen's loader takes instead of files. So
// one signature covers them all. The same parts give the same bytes.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isArm64Image } from "../compiler/materials/arm64-image.js";
import type { Architecture } from "../xen-model/machines.js";
import { type LaunchParts, xenCommandLine } from "./launch-parts.js";
import { type PeFile, readPe } from "./pe.js";
import { MediaError } from "./problem.js";
import { runProgram } from "./programs.js";
import { type NamedSection, uniteArm64, unitedBytes } from "./unite-arm64.js";

/** Where firmware looks for a program on a medium that no boot entry names. */
export const efiPaths: Readonly<Record<Architecture, string>> = {
  x86_64: "EFI/BOOT/BOOTX64.EFI",
  arm64: "EFI/BOOT/BOOTAA64.EFI",
};

/** Sections lie in the 32-bit range of a PE file; signing programs count in signed numbers. */
const MOST_BYTES = 0x7fffffff;

/**
 * Xen's configuration. It names no file, so that none is read from the medium, and has Xen ignore
 * what the firmware's boot entry adds, which no signature covers.
 */
export function xenConfiguration(parts: LaunchParts): string {
  return [
    "[global]",
    "default=launch",
    "ignore-load-options=yes",
    "",
    "[launch]",
    `options=${xenCommandLine(parts.xenOptions)}`,
    "",
  ].join("\n");
}

export interface UnifiedXenOptions {
  readonly configuration?: string;
  /** The board's device tree, for arm64: Xen takes it instead of the firmware's. */
  readonly boardTree?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Unites Xen's PE file with the parts. Throws a MediaError if they don't fit together. */
export async function makeUnifiedXen(
  xenEfi: Uint8Array,
  parts: LaunchParts,
  { configuration = xenConfiguration(parts), boardTree, signal }: UnifiedXenOptions = {},
): Promise<Uint8Array> {
  const xen = readPe(xenEfi);
  if (xen === undefined) {
    const fix = "Run: npm run build";
    throw new MediaError({ kind: "unfit-part", what: "xen.efi is no PE file of 64 bits", fix });
  }
  const optional = (name: string, bytes: Uint8Array | undefined): NamedSection[] =>
    bytes === undefined ? [] : [[name, bytes]];
  const sections: readonly NamedSection[] = [
    [".config", Buffer.from(configuration)],
    ...optional(".dtb", boardTree),
    [".kernel", parts.bootDomain],
    [".ramdisk", parts.image],
    ...optional(".xsm", parts.policy),
  ];
  if (!isArm64Image(xenEfi)) return addSections(xenEfi, xen, sections, signal);
  checkSize(unitedBytes(xen, sections));
  return uniteArm64(xenEfi, xen, sections);
}

function checkSize(bytes: number): void {
  if (bytes <= MOST_BYTES) return;
  const what = `the launch takes ${bytes} bytes in one file, more than EFI firmware can load`;
  const fix = "Make its kernels and ramdisks smaller, or use --grub or --uboot.";
  throw new MediaError({ kind: "unfit-part", what, fix });
}

/** x86's Xen with sections behind its own. */
async function addSections(
  xenEfi: Uint8Array,
  xen: PeFile,
  sections: readonly NamedSection[],
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const words: string[] = [];
  const align = (address: number): number =>
    Math.ceil(address / xen.sectionAlignment) * xen.sectionAlignment;
  let address = align(xen.end);
  for (const [name, bytes] of sections) {
    words.push("--add-section", `${name}=${name.slice(1)}`);
    // Writable: Xen's loader cuts its configuration into lines in place.
    words.push("--set-section-flags", `${name}=contents,alloc,load,data`);
    words.push(
      "--change-section-address",
      `${name}=0x${(xen.imageBase + BigInt(address)).toString(16)}`,
    );
    address = align(address + bytes.length);
  }
  checkSize(address + xenEfi.length);
  const directory = await mkdtemp(join(tmpdir(), "domb-media-"));
  try {
    await writeFile(join(directory, "xen.efi"), xenEfi);
    for (const [name, bytes] of sections) await writeFile(join(directory, name.slice(1)), bytes);
    // Keeps the time in the file's header, too.
    const options = ["--preserve-dates", ...words, "xen.efi", "unified.efi"];
    await runProgram("objcopy", options, { directory, signal });
    return await readFile(join(directory, "unified.efi"));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
