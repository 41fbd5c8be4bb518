// SPDX-License-Identifier: Apache-2.0
// Memory that runs out: the host has from no page to more than the launch takes.

import type { BaseLaunch } from "./base-launch.js";
import type { SuiteCase } from "./suite-case.js";

/** The launch with each of these numbers of free pages. */
export function memoryCases(
  { image }: BaseLaunch,
  freePages: readonly number[],
): readonly SuiteCase[] {
  return freePages.map((pages) => ({
    name: `memory: ${pages} pages are free`,
    image,
    freePages: pages,
    faults: [],
  }));
}
