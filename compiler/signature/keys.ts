// SPDX-License-Identifier: Apache-2.0
// Keys of SLH-DSA-SHA2-128s and their files: PEM of PKCS#8 and SubjectPublicKeyInfo with the
// identifiers of RFC 9909, sections 3 and 4. For one algorithm DER is a fixed beginning and the key
// itself; every other beginning is refused.

import { slh_dsa_sha2_128s } from "@noble/post-quantum/slh-dsa.js";
import { PUBLIC_KEY_BYTES } from "../../contract/trust.js";
import type { Place, Result } from "../diagnostics/diagnostic.js";
import { signatureRules } from "./rules.js";

/** Size of a secret key in bytes: SK.seed, SK.prf, and the public key (FIPS 205, 9.1). */
export const SECRET_KEY_BYTES = 64;
/** Size in bytes of what a key pair is made from: three seeds (FIPS 205, algorithm 18). */
export const SEED_BYTES = 48;

/** id-slh-dsa-sha2-128s, 2.16.840.1.101.3.4.3.20, as an AlgorithmIdentifier (RFC 9909, 3). */
const ALGORITHM = "300b0609608648016503040314";
/** OneAsymmetricKey, version 1, its key an OCTET STRING (RFC 5958, 2; RFC 9909, 6). */
const SECRET_BEGIN = Buffer.from(`3052020100${ALGORITHM}0440`, "hex");
/** SubjectPublicKeyInfo, its key a BIT STRING without unused bits (RFC 9909, 4). */
const PUBLIC_BEGIN = Buffer.from(`3030${ALGORITHM}032100`, "hex");

/** SECRET_KEY_BYTES; never printed, never part of a diagnostic. */
export type SecretKey = Uint8Array;
/** PUBLIC_KEY_BYTES. */
export type PublicKey = Uint8Array;

/** A key pair of SEED_BYTES random bytes. */
export function makeSecretKey(seed: Uint8Array): SecretKey {
  return slh_dsa_sha2_128s.keygen(seed).secretKey;
}

/** The public half, which a secret key holds. */
export function publicKeyOf(secret: SecretKey): PublicKey {
  return secret.slice(SECRET_KEY_BYTES - PUBLIC_KEY_BYTES);
}

/** The PEM file of a secret key. */
export function formatSecretKey(secret: SecretKey): string {
  return pem("PRIVATE KEY", Buffer.concat([SECRET_BEGIN, secret]));
}

/** The PEM file of a public key. */
export function formatPublicKey(key: PublicKey): string {
  return pem("PUBLIC KEY", Buffer.concat([PUBLIC_BEGIN, key]));
}

/** Reads the PEM file of a secret key. */
export function parseSecretKey(text: string, place: Place): Result<SecretKey> {
  return parse(text, { label: "PRIVATE KEY", begin: SECRET_BEGIN, bytes: SECRET_KEY_BYTES, place });
}

/** Reads the PEM file of a public key. */
export function parsePublicKey(text: string, place: Place): Result<PublicKey> {
  return parse(text, { label: "PUBLIC KEY", begin: PUBLIC_BEGIN, bytes: PUBLIC_KEY_BYTES, place });
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

interface Form {
  readonly label: string;
  readonly begin: Buffer;
  readonly bytes: number;
  readonly place: Place;
}

function parse(text: string, { label, begin, bytes, place }: Form): Result<Uint8Array> {
  const block = /-----BEGIN ([A-Z0-9 ]+)-----\s+([A-Za-z0-9+/=\s]+)-----END \1-----/.exec(text);
  const refuse = (found: string): Result<never> => ({
    ok: false,
    diagnostics: [
      signatureRules.diagnose("DOMB5101", {
        place,
        message: `the file holds ${found}, wanted a PEM block "${label}" for SLH-DSA-SHA2-128s`,
        fix: "Give a key that `domb keygen` made, or one of RFC 9909 by another tool.",
      }),
    ],
  });
  if (block === null) return refuse("no PEM block");
  const [, found = "", content = ""] = block;
  if (found !== label) return refuse(`a PEM block "${found}"`);
  const der = Buffer.from(content, "base64");
  if (der.length !== begin.length + bytes || !der.subarray(0, begin.length).equals(begin)) {
    return refuse("a key of another algorithm or form");
  }
  return { ok: true, value: new Uint8Array(der.subarray(begin.length)), diagnostics: [] };
}
