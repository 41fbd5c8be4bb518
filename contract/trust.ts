// SPDX-License-Identifier: Apache-2.0
// Signatures of plans, and whom the boot domain trusts: a record in its kernel file, in an ELF note.
// All numbers are little-endian unsigned 32-bit unless said otherwise.
// Valid TypeScript and AssemblyScript alike: nothing is imported, every constant fits in 31 bits.

/** Size of a public key in bytes: PK.seed and PK.root (FIPS 205, 9.1, SLH-DSA-SHA2-128s). */
export const PUBLIC_KEY_BYTES = 32;
/** Size of a signature in bytes (FIPS 205, table 2, SLH-DSA-SHA2-128s). */
export const SIGNATURE_BYTES = 7856;
/** Context string of every signature (FIPS 205, 10.2); the message is the plan's ImageHeader. */
export const SIGNATURE_CONTEXT = "domb launch plan";
/** Keys that a boot domain trusts: two, so that one can follow the other. */
export const TRUSTED_KEYS = 2;
/** Type of the ELF note with the TrustRecord; its name is "domb". */
export const TRUST_NOTE = 1;

/** Whom the boot domain trusts. With any key in it, it launches nothing that is not signed. */
export const enum TrustRecord {
  /** least ImageHeader.launchVersion that may run, of signed plans */
  leastLaunchVersion = 0,
  /** public keys, TRUSTED_KEYS of PUBLIC_KEY_BYTES; zeros: none */
  keys = 4,
  /** size of this record */
  size = 68,
}
