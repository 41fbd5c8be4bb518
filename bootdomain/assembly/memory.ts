// SPDX-License-Identifier: Apache-2.0
// Where everything lies in linear memory. There is no allocation: each table has its fixed place
// and a size from contract/. Below PLAN lie the compiler's own constants; build.ts checks that
// they end before it, and that END is what the module asks for.

import { ImageHeader } from "../../contract/image";

/** The plan, as read from the image. */
export const PLAN: u32 = 0x10000;
/** Room for the plan in bytes: more than its tables need at their maxima. */
export const PLAN_BYTES: u32 = 0x70000;
/** A piece of the image: for digests, or a vCPU's context. */
export const PIECE: u32 = 0x80000;
/** Size of a piece in bytes, a multiple of SHA-256's block; two blocks of padding follow it. */
export const PIECE_BYTES: u32 = 0xf000;
/** gfns of a domain that Xen is to populate: POPULATE_BATCH of them, 64 bits each. */
export const FRAMES: u32 = 0x90000;
/** The receipt: two parts with all their records at the most. */
export const RECEIPT: u32 = 0x91000;
/** For each material, whether its digest was checked, and was right: a Verified, one byte each. */
export const VERIFIED: u32 = 0x9b000;
/** For each step, whether it is done: one byte each. Both tables are cleared for each plan. */
export const DONE: u32 = 0x9b400;
/** The argument of a hypercall. */
export const ARGUMENT: u32 = 0x9b800;
/** A set of physical CPUs, which an argument points to: 64 bits. */
export const CPUS: u32 = 0x9b9f8;
/** Running state of a digest, then the digest: DIGEST_BYTES. */
export const DIGEST: u32 = 0x9ba00;
/** The header of the plan that is accepted or tried. */
export const HEADER: u32 = 0x9ba40;
/** Whom the boot domain trusts: a TrustRecord. */
export const TRUST: u32 = 0x9bb00;
/** A line for Xen's console. */
export const LINE: u32 = 0x9bc00;
/** Room for a line in bytes. */
export const LINE_BYTES: u32 = 0x400;
/** A signature: SIGNATURE_BYTES. */
export const SIGNATURE: u32 = 0x9c000;
/** What SLH-DSA hashes: an address and 35 nodes at most, two blocks of padding follow. */
export const HASHED: u32 = 0x9e000;
/** Ends of chains or roots of trees, which SLH-DSA hashes together: 35 nodes at most. */
export const NODES: u32 = 0x9e400;
/** The state of SHA-256 behind the first block, which all hashes of a public key have: 32 bytes. */
export const SEED_STATE: u32 = 0x9e800;
/** What a signature signs, as indices of chains and trees: 32 bytes. */
export const INDICES: u32 = 0x9e820;
/** Size of linear memory in bytes. */
export const END: u32 = 0xa0000;

/** Reads a 32-bit field of the image's header. */
export function headerField(field: ImageHeader): u32 {
  return load<u32>(HEADER + <u32>field);
}
