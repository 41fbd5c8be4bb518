// SPDX-License-Identifier: Apache-2.0
// Boot media that were written, for people and as JSON.

import { join } from "node:path";
import { launchTries } from "../media/grub-fallback.js";
import type { MediumFile } from "../media/launch-parts.js";
import { printJson, printText } from "./answer.js";
import { digestOf } from "./describe-launch.js";
import { plainTable } from "./plain-table.js";

export const mediaSchema = "domb.media/1";

export interface Medium {
  readonly kind: "efi" | "grub" | "uboot";
  readonly signed: boolean;
  readonly folder: string;
  readonly files: readonly MediumFile[];
  /** The folder of the medium that GRUB falls back to. */
  readonly fallback?: string | undefined;
  readonly xenCommandLine: string;
}

/** Shows what was written. */
export function showMedium(
  { files, folder, kind, signed, fallback, xenCommandLine }: Medium,
  json: boolean,
): void {
  const written = files.map(({ path, bytes }) => ({
    path: join(folder, path),
    bytes: bytes.length,
    digest: digestOf(bytes),
  }));
  if (json) {
    printJson(mediaSchema, { ok: true, kind, signed, files: written, fallback, xenCommandLine });
    return;
  }
  const rows = written.map(({ path, bytes, digest }) => [path, String(bytes), digest]);
  const states: Readonly<Record<Medium["kind"], string>> = {
    efi: `one file for EFI firmware, ${signed ? "signed" : "not signed: Secure Boot refuses it"}`,
    grub: "files for GRUB; nothing checks them unless GRUB itself does",
    uboot: signed
      ? "one signed file for U-Boot, which checks it if its control tree has the key"
      : "files for U-Boot; the boot domain checks the image, nothing checks the others",
  };
  printText(
    [
      plainTable(["file", "bytes", "SHA-256"], rows),
      "",
      `medium              ${states[kind]}`,
      ...(fallback === undefined
        ? []
        : [`fallback            ${fallback}, after ${launchTries} starts that nobody calls good`]),
      `Xen's command line  ${xenCommandLine}`,
      "",
    ].join("\n"),
  );
}
