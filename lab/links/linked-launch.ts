// SPDX-License-Identifier: Apache-2.0
// A launch of two linked guests, by a boot domain of the test's own that links them whatever the
// plan says (linking.c), and what their command lines have to say for it.

import type { DomainInput } from "../../compiler/description/define-launch.js";
import { BOOT_DOMID } from "../../contract/limits.js";
import { GUEST_RAM0_BASE } from "../../contract/xen-abi-arm64.js";
import { guestKernel } from "../../guests/build.js";
import type { Architecture } from "../../setup/paths.js";
import { buildAltered } from "../altered-boot-domain.js";

/** In a frame of the first domain's grant table that it has only by this. */
const REFERENCE = 1000;

/** Two pages near the end of the first domain's RAM. */
const sharedGfn = (architecture: Architecture): number =>
  (architecture === "arm64" ? GUEST_RAM0_BASE / 0x1000 : 0) + 0xff0;

/** A guest that uses links. */
export function linkedGuest(architecture: Architecture, cmdline: string): DomainInput {
  const kernel = guestKernel("linked", architecture);
  return { kernel, memory: "16 MiB", output: "xen-log", cmdline };
}

/** What the guest's command line has to say for a domain to signal; `channel`: whose, by domid. */
export const signals = (channel: number): string => `ready=${BOOT_DOMID}:${channel}`;

/** Command lines with which both use all of their links, and then signal. */
export function linkedCommandLines(architecture: Architecture): readonly [string, string] {
  const gfn = sharedGfn(architecture);
  const first = [`link.memory=own:${gfn}:2:${REFERENCE + 4}:1`, "link.bell=open:2:1", signals(1)];
  const second = [
    `link.memory=map:1:${REFERENCE}:2:write`,
    `link.view=map:1:${REFERENCE + 2}:2:read`,
    `link.forbidden=map:1:${REFERENCE + 4}:1:write`,
    "link.bell=bind:1:1",
    `${signals(2)} then=flood`,
  ];
  return [first.join(" "), second.join(" ")];
}

/**
 * Path of the boot domain that links domains 1 and 2, and exits after so much news; the second has
 * a CPU of its own, unless that is 0. `name`: of what is built, another for each file of tests.
 */
export function buildLinking(
  architecture: Architecture,
  news: number,
  cpu = 0,
  name = "linking",
): Promise<string> {
  const gfn = `0x${sharedGfn(architecture).toString(16)}UL`;
  const defines = [`NEWS=${news}`, `CPU=${cpu}`, `SHARED_GFN=${gfn}`, `REFERENCE=${REFERENCE}`];
  return buildAltered(name, "lab/links/linking.c", defines, architecture);
}

/** Answers by name, of the boot domain or of a guest. */
export function answers(log: string, who: string): ReadonlyMap<string, string> {
  const lines = [...log.matchAll(new RegExp(`${who}: ([\\w -]+) (-?[0-9a-f]+)\\s*$`, "gm"))];
  return new Map(lines.map(([, name = "", answer = ""]) => [name, answer]));
}
