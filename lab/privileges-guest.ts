// SPDX-License-Identifier: Apache-2.0
// guests/privileges for tests: a domain that tries the same on every other domain and on the host,
// and says how Xen answers.

import { guestKernel } from "../guests/build.js";
import type { Architecture } from "../setup/paths.js";

/** What of a description makes a domain try. */
export function triesOn(architecture: Architecture) {
  const kernel = guestKernel("privileges", architecture);
  return { kernel, memory: "32 MiB", output: "xen-log" } as const;
}

/** Xen's answers, by the attempt's name and the domid that it was on. */
export type Answers = ReadonlyMap<string, number>;

export function answersOf(output: string | undefined): Answers {
  const lines = (output ?? "").matchAll(/^may: (\w+) (\d+) (-?\d+)$/gm);
  return new Map([...lines].map(([, name, domid, answer]) => [`${name} ${domid}`, Number(answer)]));
}
