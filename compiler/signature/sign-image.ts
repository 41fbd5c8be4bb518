// SPDX-License-Identifier: Apache-2.0
// Signs an image's plans, and verifies them, by noble's SLH-DSA-SHA2-128s: of each plan's header,
// which holds the plan's digest, and that the digest of every material.

import { slh_dsa_sha2_128s } from "@noble/post-quantum/slh-dsa.js";
import { ImageHeader, MAIN_HEADER, RECOVERY_HEADER } from "../../contract/image.js";
import { SIGNATURE_BYTES, SIGNATURE_CONTEXT } from "../../contract/trust.js";
import type { Diagnostic, Place, Result } from "../diagnostics/diagnostic.js";
import { type DecodedImage, hasRecovery } from "../image/decode-image.js";
import { type PublicKey, publicKeyOf, type SecretKey } from "./keys.js";
import { signatureRules } from "./rules.js";

/** Which of an image's plans. */
export type PlanName = "main" | "recovery";

const headerOffsets: Readonly<Record<PlanName, number>> = {
  main: MAIN_HEADER,
  recovery: RECOVERY_HEADER,
};

/** FIPS 205, 10.2: what is signed together with every message. */
const options = (context = SIGNATURE_CONTEXT) => ({ context: new TextEncoder().encode(context) });

/** The plans that an image has. */
export function plansOf(image: Uint8Array): readonly PlanName[] {
  return hasRecovery(image) ? ["main", "recovery"] : ["main"];
}

/** What is signed of a plan: its header. FIPS 205's context is SIGNATURE_CONTEXT. */
export function messageOf(image: Uint8Array, plan: PlanName): Uint8Array {
  const offset = headerOffsets[plan];
  return image.slice(offset, offset + ImageHeader.size);
}

/** Whether these bytes are the key's signature of the message. */
export function isSignatureOf(signature: Uint8Array, message: Uint8Array, key: PublicKey): boolean {
  return slh_dsa_sha2_128s.verify(signature, message, key, options());
}

/** The image with this signature of one of its plans. */
export function withSignature(
  image: Uint8Array,
  plan: PlanName,
  signature: Uint8Array,
): Uint8Array {
  if (signature.length !== SIGNATURE_BYTES) throw new Error("bug: a signature of another size");
  const signed = image.slice();
  signed.set(signature, headerOffsets[plan] + ImageHeader.size);
  return signed;
}

/**
 * The key's signature of a message, always the same one (FIPS 205, 10.2.1, deterministic). It takes
 * some seconds.
 */
export function sign(message: Uint8Array, secret: SecretKey, context?: string): Uint8Array {
  return slh_dsa_sha2_128s.sign(message, secret, { ...options(context), extraEntropy: false });
}

/**
 * The image with these plans signed. `place` is the key's.
 */
export function signImage(
  image: Uint8Array,
  secret: SecretKey,
  place: Place,
  plans: readonly PlanName[] = plansOf(image),
): Result<Uint8Array> {
  let signed = image;
  for (const plan of plans) {
    const message = messageOf(image, plan);
    const signature = sign(message, secret);
    if (!isSignatureOf(signature, message, publicKeyOf(secret))) {
      const fix = "Take the key from its copy, or make another with `domb keygen`.";
      const message = "what the key signs, its own public half does not verify";
      return {
        ok: false,
        diagnostics: [signatureRules.diagnose("DOMB5103", { place, message, fix })],
      };
    }
    signed = withSignature(signed, plan, signature);
  }
  return { ok: true, value: signed, diagnostics: [] };
}

/** Whom and what a plan must be of. */
export interface Trust {
  readonly keys: readonly PublicKey[];
  /** The least launch version that may run. */
  readonly leastLaunchVersion: number;
}

/** Which plans are signed by which of the keys, from 1, or what is wrong. */
export function verifyImage(
  image: DecodedImage,
  { keys, leastLaunchVersion }: Trust,
  place: Place,
): Result<Readonly<Partial<Record<PlanName, number>>>> {
  const { recovery } = image;
  const plans = [["main", image] as const, ...(recovery ? [["recovery", recovery] as const] : [])];
  const wanted = keys.length === 1 ? "the key given" : `one of the ${keys.length} keys given`;
  const signers: Partial<Record<PlanName, number>> = {};
  const diagnostics: Diagnostic[] = [];
  for (const [name, { headerBytes, signature, header }] of plans) {
    if (signature === undefined) {
      const message = `the ${name} plan is not signed, wanted a signature by ${wanted}`;
      const fix = "Sign the image with `domb sign`.";
      diagnostics.push(signatureRules.diagnose("DOMB5104", { place, message, fix }));
      continue;
    }
    const index = keys.findIndex((key) => isSignatureOf(signature, headerBytes, key));
    if (index === -1) {
      const message = `the ${name} plan has a signature that is not its own by ${wanted}`;
      const fix = "Sign the image again, or give its owner's key.";
      diagnostics.push(signatureRules.diagnose("DOMB5105", { place, message, fix }));
      continue;
    }
    if (header.launchVersion < leastLaunchVersion) {
      const message = `the ${name} plan has launch version ${header.launchVersion}, wanted ${leastLaunchVersion} at least`;
      const fix = "Build it with a higher --launch-version, and sign it.";
      diagnostics.push(signatureRules.diagnose("DOMB5109", { place, message, fix }));
      continue;
    }
    signers[name] = index + 1;
  }
  return diagnostics.length === 0
    ? { ok: true, value: signers, diagnostics }
    : { ok: false, diagnostics };
}
