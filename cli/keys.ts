// SPDX-License-Identifier: Apache-2.0
// Keys that commands are given: files read and checked, and the options that name them.

import { stat } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { Result } from "../compiler/diagnostics/diagnostic.js";
import {
  type PublicKey,
  parsePublicKey,
  parseSecretKey,
  publicKeyOf,
  type SecretKey,
} from "../compiler/signature/keys.js";
import { signatureRules } from "../compiler/signature/rules.js";
import { type PlanName, signImage, type Trust } from "../compiler/signature/sign-image.js";
import { TRUSTED_KEYS } from "../contract/trust.js";
import { CommandError, readBytes, take } from "./answer.js";

/** How a command answers. */
interface Answer {
  readonly schema: string;
  readonly json: boolean;
}

/** A whole number of 32 bits, as versions are. */
export function parseVersion(text: string): number {
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text) || value > 0xffffffff) {
    throw new InvalidArgumentError("Give a whole number from 0 to 4294967295.");
  }
  return value;
}

/** Gathers the values of an option that may be repeated. */
export function repeated(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

/** Reads a secret key; warns when others may read it too. */
export async function readSecretKey(path: string): Promise<Result<SecretKey>> {
  const text = Buffer.from(await readBytes(path)).toString("latin1");
  const place = { file: path };
  const key = parseSecretKey(text, place);
  if (!key.ok) return key;
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return key;
  const found = (mode & 0o777).toString(8).padStart(4, "0");
  const warning = signatureRules.diagnose("DOMB5102", {
    place,
    message: `the secret key has mode ${found}, wanted 0600`,
    fix: `Run: chmod 600 ${path}`,
  });
  return { ...key, diagnostics: [warning] };
}

/** Reads public keys, in their order. */
export async function readPublicKeys(paths: readonly string[]): Promise<Result<PublicKey[]>> {
  const keys: PublicKey[] = [];
  for (const path of paths) {
    const text = Buffer.from(await readBytes(path)).toString("latin1");
    const key = parsePublicKey(text, { file: path });
    if (!key.ok) return key;
    keys.push(key.value);
  }
  return { ok: true, value: keys, diagnostics: [] };
}

/** Refuses more keys than a boot domain trusts. */
export function checkKeyCount(keys: readonly string[], option: string): void {
  if (keys.length <= TRUSTED_KEYS) return;
  throw new CommandError(
    "DOMB6001",
    `${option} is given ${keys.length} times; a boot domain trusts ${TRUSTED_KEYS} keys at most`,
    "Leave out the oldest: two are there so that one can follow the other.",
  );
}

/** Options of commands that run a launch. */
export interface TrustOptions {
  readonly key?: string;
  readonly trust?: readonly string[];
  readonly leastVersion?: number;
}

/** Adds them. */
export function addTrustOptions(command: Command): Command {
  return command
    .option("--key <file>", "sign the launch with this secret key, and trust its public key")
    .option(
      "--trust <file>",
      "public key that the boot domain trusts; may be given twice",
      repeated,
    )
    .option("--least-version <number>", "least launch version that it runs", parseVersion);
}

/** What a launch is signed with, and whom the boot domain is to trust; undefined: told why. */
export async function takeTrust(
  { key, trust = [], leastVersion }: TrustOptions,
  answer: Answer,
): Promise<{ readonly secret: SecretKey | undefined; readonly trust: Trust } | undefined> {
  const secret = key === undefined ? undefined : take(await readSecretKey(key), answer);
  if (key !== undefined && secret === undefined) return undefined;
  checkKeyCount([...(key === undefined ? [] : [key]), ...trust], "--trust");
  const others = take(await readPublicKeys(trust), answer);
  if (others === undefined) return undefined;
  const keys = [...(secret === undefined ? [] : [publicKeyOf(secret)]), ...others];
  if (keys.length === 0 && leastVersion !== undefined) {
    const fix = "Give the owner's public key with --trust.";
    throw new CommandError("DOMB6001", "--least-version is of signed launches", fix);
  }
  return { secret, trust: { keys, leastLaunchVersion: leastVersion ?? 0 } };
}

/** Signs these plans of the image, or every one; undefined: told why. */
export function takeSigned(
  image: Uint8Array,
  secret: SecretKey,
  path: string,
  answer: Answer,
  plans?: readonly PlanName[],
): Uint8Array | undefined {
  process.stderr.write("signing, some seconds for each plan\n");
  return take(signImage(image, secret, { file: path }, plans), answer);
}
