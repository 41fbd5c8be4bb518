// SPDX-License-Identifier: Apache-2.0
// Key pairs and signatures of tests. A signature takes seconds, and is always the same: those that
// were made once are kept in the build folder.

import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  makeSecretKey,
  type PublicKey,
  publicKeyOf,
  SEED_BYTES,
  type SecretKey,
} from "../../compiler/signature/keys.js";
import {
  messageOf,
  type PlanName,
  plansOf,
  sign,
  withSignature,
} from "../../compiler/signature/sign-image.js";
import { paths } from "../../setup/paths.js";

export interface TestKey {
  readonly secret: SecretKey;
  readonly key: PublicKey;
}

/** The key pair of a number that anyone knows. */
export function testKey(number: number): TestKey {
  const secret = makeSecretKey(new Uint8Array(SEED_BYTES).fill(number));
  return { secret, key: publicKeyOf(secret) };
}

/** The signature of a message; without `context`: of SIGNATURE_CONTEXT. */
export async function testSignature(
  message: Uint8Array,
  { secret }: TestKey,
  context?: string,
): Promise<Uint8Array> {
  const hash = createHash("sha256")
    .update(secret)
    .update(message)
    .update(context ?? "default");
  const directory = join(paths.build, "signatures");
  const path = join(directory, hash.digest("hex"));
  const kept = await readFile(path).catch(() => undefined);
  if (kept !== undefined) return new Uint8Array(kept);
  const signature = sign(message, secret, context);
  await mkdir(directory, { recursive: true });
  await writeFile(`${path}.${process.pid}`, signature);
  await rename(`${path}.${process.pid}`, path);
  return signature;
}

/** The image with plans signed by a test's key. */
export async function signedImage(
  image: Uint8Array,
  key: TestKey,
  plans: readonly PlanName[] = plansOf(image),
): Promise<Uint8Array> {
  let signed = image;
  for (const plan of plans) {
    signed = withSignature(signed, plan, await testSignature(messageOf(image, plan), key));
  }
  return signed;
}
