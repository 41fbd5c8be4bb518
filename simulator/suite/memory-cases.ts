// SPDX-License-Identifier: Apache-2.0
// Memory that runs out: the host has from no page to more than the launch takes.

import { machineOf } from "../machine.js";
import { simulateLaunch } from "../simulate.js";
import type { BaseLaunch } from "./base-launch.js";
import { PLENTY_PAGES, type SuiteCase } from "./suite-case.js";

/** Numbers of free pages from some less than a launch takes, which starts all its domains, to that. */
export function pagesAround(
  image: Uint8Array,
  wasm: WebAssembly.Module,
  less: number,
): readonly number[] {
  const launch = { wasm, machine: machineOf(image), freePages: PLENTY_PAGES };
  const taken = PLENTY_PAGES - simulateLaunch(image, launch).freePages;
  return Array.from({ length: less + 1 }, (_, index) => taken - less + index);
}

/** The launch with each of these numbers of free pages. */
export function memoryCases(
  { image }: Pick<BaseLaunch, "image">,
  freePages: readonly number[],
  of = "two domains",
): readonly SuiteCase[] {
  return freePages.map((pages) => ({
    name: `memory: ${pages} pages are free for ${of}`,
    image,
    freePages: pages,
    faults: [],
  }));
}
