// SPDX-License-Identifier: Apache-2.0
// The flattened form of a device tree, version 17: Devicetree Specification v0.4, chapter 5. All
// numbers are big-endian.

export const MAGIC = 0xd00d_feed;
export const VERSION = 17;
/** The oldest version whose readers understand version 17. */
export const LAST_COMPATIBLE_VERSION = 16;

/** Offsets of the header's fields, each of 32 bits. */
export const Header = {
  magic: 0,
  totalsize: 4,
  off_dt_struct: 8,
  off_dt_strings: 12,
  off_mem_rsvmap: 16,
  version: 20,
  last_comp_version: 24,
  boot_cpuid_phys: 28,
  size_dt_strings: 32,
  size_dt_struct: 36,
} as const;
export const HEADER_BYTES = 40;

/** An address and a size of 64 bits each; both 0 end the list. */
export const RESERVATION_BYTES = 16;
export const RESERVATION_ALIGNMENT = 8;

export const Token = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 } as const;
export const TOKEN_BYTES = 4;
/** After a property's token: the value's length, and its name's offset among the strings. */
export const PROPERTY_HEADER_BYTES = 8;

/** Where the next token begins at the earliest. */
export function aligned(offset: number): number {
  return Math.ceil(offset / TOKEN_BYTES) * TOKEN_BYTES;
}
