// SPDX-License-Identifier: Apache-2.0
// One file for EFI firmware that holds all of a launch: Xen with its configuration, boot domain,
// launch image and policy as sections of their own, which Xen's loader takes instead of files. So
// one signature covers them all. The same parts give the same bytes.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LaunchParts, xenCommandLine } from "./launch-parts.js";
import { readPe } from "./pe.js";
import { MediaError } from "./problem.js";
import { runProgram } from "./programs.js";

/** Where firmware looks for a program on a medium that no boot entry names. */
export const EFI_PATH = "EFI/BOOT/BOOTX64.EFI";

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

/** Unites Xen's PE file with the parts. Throws a MediaError if they don't fit together. */
export async function makeUnifiedXen(
  xenEfi: Uint8Array,
  parts: LaunchParts,
  {
    configuration = xenConfiguration(parts),
    signal,
  }: { readonly configuration?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<Uint8Array> {
  const xen = readPe(xenEfi);
  if (xen === undefined) {
    const fix = "Run: npm run build";
    throw new MediaError({ kind: "unfit-part", what: "xen.efi is no PE file of 64 bits", fix });
  }
  const contents: [string, Uint8Array][] = [
    [".config", Buffer.from(configuration)],
    [".kernel", parts.bootDomain],
    [".ramdisk", parts.image],
    ...(parts.policy === undefined ? [] : [[".xsm", parts.policy] as [string, Uint8Array]]),
  ];
  const words: string[] = [];
  const align = (address: number): number =>
    Math.ceil(address / xen.sectionAlignment) * xen.sectionAlignment;
  let address = align(xen.end);
  for (const [name, bytes] of contents) {
    words.push("--add-section", `${name}=${name.slice(1)}`);
    // Writable: Xen's loader cuts its configuration into lines in place.
    words.push("--set-section-flags", `${name}=contents,alloc,load,data`);
    words.push(
      "--change-section-address",
      `${name}=0x${(xen.imageBase + BigInt(address)).toString(16)}`,
    );
    address = align(address + bytes.length);
  }
  if (address + xenEfi.length > MOST_BYTES) {
    const what = `the launch takes ${address} bytes in one file, more than EFI firmware can load`;
    const fix = "Make its kernels and ramdisks smaller, or use --grub.";
    throw new MediaError({ kind: "unfit-part", what, fix });
  }
  const directory = await mkdtemp(join(tmpdir(), "domb-media-"));
  try {
    await writeFile(join(directory, "xen.efi"), xenEfi);
    for (const [name, bytes] of contents) await writeFile(join(directory, name.slice(1)), bytes);
    // Keeps the time in the file's header, too.
    const options = ["--preserve-dates", ...words, "xen.efi", "unified.efi"];
    await runProgram("objcopy", options, { directory, signal });
    return await readFile(join(directory, "unified.efi"));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
