// SPDX-License-Identifier: Apache-2.0
// Upstream's Xen 4.23 for tests: its archive is the one that DOMB_XEN_UPSTREAM names, or lies beside
// the checkout, or is nowhere; then tests that need it are skipped, and say so.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { buildBootDomain } from "../bootdomain/build.js";
import { paths } from "../setup/paths.js";

const besideCheckout = join(paths.checkout, "..", "shared", "xen-4.23-unstable.tar.xz");

/** Path of the archive; undefined if there is none. */
export const upstreamArchive =
  process.env.DOMB_XEN_UPSTREAM || (existsSync(besideCheckout) ? besideCheckout : undefined);

/** A title for tests that need it, which says why they are skipped. */
export function needingUpstream(title: string): string {
  return upstreamArchive === undefined
    ? `${title} (skipped: DOMB_XEN_UPSTREAM names no archive of upstream's Xen 4.23)`
    : title;
}

/** Builds it and its boot domain, which takes minutes the first time. */
export async function prepareUpstream(): Promise<void> {
  if (upstreamArchive === undefined) throw new Error("there is no archive of upstream's Xen");
  await execa(process.execPath, [join(paths.checkout, "setup", "run.js"), "xen-4.23"], {
    env: { DOMB_XEN_UPSTREAM: upstreamArchive },
  });
  await buildBootDomain("4.23");
}
