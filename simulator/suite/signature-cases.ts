// SPDX-License-Identifier: Apache-2.0
// Launches that are signed, or not, or not so, for boot domains that trust nobody, one key or two;
// and what becomes of them when there is a recovery plan.

import { encodeImage, encodeRecovery, type PlanTarget } from "../../compiler/image/encode-image.js";
import { messageOf, withSignature } from "../../compiler/signature/sign-image.js";
import { encodeTrust } from "../../compiler/signature/trust.js";
import { HEADERS_END, ImageHeader, MAIN_HEADER, RECOVERY_HEADER } from "../../contract/image.js";
import { SIGNATURE_BYTES, TrustRecord } from "../../contract/trust.js";
import type { BaseLaunch } from "./base-launch.js";
import { plainCase, type SuiteCase } from "./suite-case.js";
import { signedImage, testKey, testSignature } from "./test-keys.js";

/** FIPS 205, table 2 and figures 10, 13 and 16: where a signature's parts begin, bytes. */
const NODE = 16;
const FORS_END = NODE + 14 * (1 + 12) * NODE;
const WOTS = 35 * NODE;
const LAYER = WOTS + 9 * NODE;

/** The version of every launch here. */
const VERSION = 5;
const signedTarget = { launchVersion: VERSION, verify: "all" } as const;

const [owner, successor, stranger] = [testKey(1), testKey(2), testKey(3)];
const trusting = (leastLaunchVersion: number, ...keys: readonly (typeof owner)[]): Uint8Array =>
  encodeTrust({ keys: keys.map(({ key }) => key), leastLaunchVersion });
const ownerTrusted = trusting(0, owner);

function launch(name: string, image: Uint8Array, trust?: Uint8Array): SuiteCase {
  const plain = plainCase(`signature: ${name}`, image);
  return trust === undefined ? plain : { ...plain, trust };
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
}

/** Each way to be signed, or not to be. */
export async function signatureCases(
  one: BaseLaunch,
  two: BaseLaunch,
): Promise<readonly SuiteCase[]> {
  const { architecture } = two;
  const unsigned = encodeImage(two.plan, two.materials, { ...signedTarget, architecture });
  const signed = await signedImage(unsigned, owner);
  return [
    ...(await mainCases(unsigned, signed)),
    ...(await recoveryCases(one, two)),
    launch("none, for a key", two.image, ownerTrusted),
  ];
}

async function mainCases(unsigned: Uint8Array, signed: Uint8Array): Promise<readonly SuiteCase[]> {
  const message = messageOf(unsigned, "main");
  const otherContext = await testSignature(message, owner, "");
  const signature = MAIN_HEADER + ImageHeader.size;
  const firstOf: readonly (readonly [string, number])[] = [
    ["randomizer", 0],
    ["FORS secret", NODE],
    ["FORS path", 2 * NODE],
    ["last FORS path", FORS_END - NODE],
    ...Array.from({ length: 7 }, (_, layer) => [
      [`chain of layer ${layer}`, FORS_END + layer * LAYER] as const,
      [`path of layer ${layer}`, FORS_END + layer * LAYER + WOTS] as const,
    ]).flat(),
    ["last node", SIGNATURE_BYTES - 1],
  ];
  const fields = [ImageHeader.launchVersion, ImageHeader.verify, ImageHeader.planDigest];
  return [
    launch("of the only key", signed, ownerTrusted),
    launch("of the first key", signed, trusting(0, owner, successor)),
    launch("of the second key", signed, trusting(0, successor, owner)),
    launch("of a key twice", signed, trusting(0, owner, owner)),
    launch(
      "of the key in the second place alone",
      signed,
      withoutFirst(trusting(0, successor, owner)),
    ),
    launch("of no key", unsigned, ownerTrusted),
    launch("of a stranger", signed, trusting(0, stranger)),
    launch("of a stranger to two", signed, trusting(0, stranger, successor)),
    launch("wanted, of no key, and nobody is trusted", unsigned),
    launch("wanted, and nobody is trusted", signed),
    launch("for another context", withSignature(unsigned, "main", otherContext), ownerTrusted),
    ...[VERSION - 1, VERSION, VERSION + 1, 0xffffffff].map((least) =>
      launch(`of version ${VERSION} for ${least} at least`, signed, trusting(least, owner)),
    ),
    launch("of an old version by the second key", signed, trusting(VERSION + 1, stranger, owner)),
    ...firstOf.map(([what, at]) =>
      launch(`with a bit of the ${what} flipped`, flipped(signed, signature + at), ownerTrusted),
    ),
    ...fields.map((field) =>
      launch(`of a header changed at ${field}`, flipped(signed, field), ownerTrusted),
    ),
    ...[0, 15, 16, 31].map((byte) =>
      launch(
        `and byte ${byte} of the key is changed`,
        signed,
        flipped(ownerTrusted, TrustRecord.keys + byte),
      ),
    ),
  ];
}

/** The record without its first key. */
function withoutFirst(trust: Uint8Array): Uint8Array {
  return trust.slice().fill(0, TrustRecord.keys, TrustRecord.keys + owner.key.length);
}

/** Two domains, or one if their plan is refused. */
async function recoveryCases(one: BaseLaunch, two: BaseLaunch): Promise<readonly SuiteCase[]> {
  const { architecture } = two;
  const withRecovery = (verification: PlanTarget): Uint8Array => {
    const target = { ...verification, architecture };
    const recovery = encodeRecovery(one.plan, one.materials, target);
    const materials = two.plan.materials.map((material) => {
      return { ...material, offset: material.offset + recovery.length - HEADERS_END };
    });
    return encodeImage({ ...two.plan, materials }, two.materials, { ...target, recovery });
  };
  const unsigned = withRecovery(signedTarget);
  const signed = await signedImage(unsigned, owner);
  const open = withRecovery({});
  const planOffset = new DataView(signed.buffer).getUint32(ImageHeader.planOffset, true);
  const copied = (from: number, to: number): Uint8Array =>
    signed.slice().copyWithin(to, from, from + RECOVERY_HEADER - MAIN_HEADER);
  const cases: readonly (readonly [string, Uint8Array, Uint8Array?])[] = [
    ["both signed", signed, ownerTrusted],
    ["neither signed", unsigned, ownerTrusted],
    ["only it signed", await signedImage(unsigned, owner, ["recovery"]), ownerTrusted],
    ["only the main plan signed", await signedImage(unsigned, owner, ["main"]), ownerTrusted],
    ["both too old", signed, trusting(VERSION + 1, owner)],
    ["a bit of the main plan flipped", flipped(signed, planOffset), ownerTrusted],
    ["the main plan cut off", signed.slice(0, planOffset), ownerTrusted],
    ["the main header gone", signed.slice().fill(0, 0, RECOVERY_HEADER), ownerTrusted],
    ["its header in both places", copied(RECOVERY_HEADER, MAIN_HEADER), ownerTrusted],
    ["the main header in both places", copied(MAIN_HEADER, RECOVERY_HEADER), ownerTrusted],
    ["a bit of its own plan flipped", flipped(signed, HEADERS_END), ownerTrusted],
    ["nothing signed, nobody trusted", open],
    ["nothing signed, nobody trusted, main plan damaged", flipped(open, planOffset)],
  ];
  return cases.map(([what, image, trust]) => launch(`recovery, ${what}`, image, trust));
}
