// SPDX-License-Identifier: Apache-2.0
// What every boot medium carries beside Xen: boot domain, launch image and FLASK policy, in the
// order in which Xen wants them as its boot modules, and Xen's command line.

import { isArm64Image } from "../compiler/materials/arm64-image.js";
import type { Architecture } from "../xen-model/machines.js";
import { MediaError } from "./problem.js";

export interface LaunchParts {
  /** An ELF file with a PVH entry; for arm64 an Image. */
  readonly bootDomain: Uint8Array;
  /** The launch image; what is in it does not matter here. */
  readonly image: Uint8Array;
  readonly policy?: Uint8Array | undefined;
  readonly xenOptions: readonly string[];
}

/** A file of a medium, with its path in the medium's folder. */
export interface MediumFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Characters that are themselves in Xen's configuration file and within GRUB's single quotes; Xen's
 * options need no others. A `#` would begin a comment, a space would begin another option.
 */
const OPTION = /^[\w.,:;=@+/%*~^![\]-]+$/;

/** Xen's command line; throws a MediaError for an option that a medium can't carry. */
export function xenCommandLine(options: readonly string[]): string {
  const unfit = options.find((option) => !OPTION.test(option));
  if (unfit === undefined) return options.join(" ");
  throw new MediaError({
    kind: "unfit-part",
    what: `Xen's option ${JSON.stringify(unfit)} holds what a boot medium can't carry`,
    fix: "Give one option at a time, of letters, digits and .,:;=@+/%*~^![]_- alone.",
  });
}

/** The form of a boot domain that Xen starts. */
const forms: Readonly<
  Record<Architecture, { readonly is: (bytes: Uint8Array) => boolean; readonly name: string }>
> = {
  x86_64: {
    is: (bytes) => Buffer.from(bytes.subarray(0, 5)).equals(Buffer.from("\x7fELF\x02", "latin1")),
    name: "64-bit ELF file",
  },
  arm64: { is: isArm64Image, name: "arm64 Image" },
};

/** Throws a MediaError if a boot domain is no ELF file of 64 bits, or on arm64 no Image. */
export function checkBootDomain(
  bytes: Uint8Array,
  path: string,
  architecture: Architecture = "x86_64",
): void {
  const { is, name } = forms[architecture];
  if (is(bytes)) return;
  const fix = "Name a boot domain's file, or leave the option out for the built one.";
  throw new MediaError({ kind: "unfit-part", what: `${path} is no ${name}`, fix });
}
