// SPDX-License-Identifier: Apache-2.0
// Xen's errnos by name: those that contract/ has, as people write them.

import * as abi from "../contract/xen-abi.js";

type AbiName = Extract<keyof typeof abi, `XEN_E${string}`>;
type ErrnoKey = AbiName extends infer Name ? (Name extends `XEN_${infer E}` ? E : never) : never;
/** A name such as ENOMEM. */
export type ErrnoName = Exclude<ErrnoKey, `ELFNOTE${string}`>;

/** Number of each errno, positive. */
export const errnos: ReadonlyMap<string, number> = new Map(
  Object.entries(abi).flatMap(([name, value]) =>
    /^XEN_E(?!LFNOTE)/.test(name) && typeof value === "number" ? [[name.slice(4), value]] : [],
  ),
);

/** An errno's name, or its number where it has none here. */
export function errnoName(errno: number): string {
  for (const [name, value] of errnos) if (value === errno) return name;
  return String(errno);
}
