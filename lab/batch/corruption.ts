// SPDX-License-Identifier: Apache-2.0
// A signed launch, and what an attacker or a bad disk makes of it: each piece that could run, or
// says what runs, changed in one byte, cut, swapped, replayed, or signed by somebody else.

import { decodeImage } from "../../compiler/image/decode-image.js";
import { encodeTrust } from "../../compiler/signature/trust.js";
import { ImageHeader } from "../../contract/image.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import { LaunchStatus } from "../../contract/receipt.js";
import { SIGNATURE_BYTES, TrustRecord } from "../../contract/trust.js";
import { plainCase, type SuiteCase } from "../../simulator/suite/suite-case.js";
import { signedImage, testKey } from "../../simulator/suite/test-keys.js";
import { compiled } from "../lab-bench.js";

export interface CorruptedLaunch extends SuiteCase {
  /** Statuses of which the launch must end with one. */
  readonly statuses: readonly LaunchStatus[];
}

/** The version of the launch, and the least that its boot domain runs. */
const VERSION = 3;
const [owner, stranger] = [testKey(1), testKey(3)];
const trustOfOwner = encodeTrust({ keys: [owner.key], leastLaunchVersion: VERSION });

/** Two domains, each of which writes to Xen's log with its first instructions. */
export async function signedLaunch(): Promise<SuiteCase> {
  const hello = { kernel: "build/guests/hello.elf", memory: "2 MiB", output: "xen-log" } as const;
  const { image } = await compiled(
    {
      domb: 1,
      domains: {
        first: { ...hello, cmdline: "first", ramdisk: "build/guests/probe.elf" },
        second: { ...hello, cmdline: "second" },
      },
    },
    { launchVersion: VERSION, verify: "all" },
  );
  const signed = await signedImage(image, owner);
  return caseOf("the launch as it was signed", signed, trustOfOwner);
}

function caseOf(name: string, image: Uint8Array, trust: Uint8Array): SuiteCase {
  return { ...plainCase(name, image), trust };
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte));
}

/** Numbers from `from` up to `to`, `step` apart. */
function range(from: number, to: number, step: number): readonly number[] {
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => from + index * step);
}

/** Every corruption, with what the boot domain must say of it. */
export async function corruptedLaunches({ image }: SuiteCase): Promise<CorruptedLaunch[]> {
  const decoded = decodeImage(image);
  if (!decoded.ok) throw new Error("bug: the signed launch does not decode");
  const { plan, header } = decoded.value;
  const bad = (
    name: string,
    changed: Uint8Array,
    statuses: readonly LaunchStatus[],
    trust = trustOfOwner,
  ): CorruptedLaunch => ({ ...caseOf(name, changed, trust), statuses });
  const flip = (what: string, at: number, ...statuses: readonly LaunchStatus[]) =>
    bad(`a bit of ${what} is flipped, byte ${at}`, flipped(image, at), statuses);

  const materials = plan.materials.flatMap(({ kind, offset, bytes }, index) =>
    [0, 1, bytes >> 2, bytes >> 1, bytes - 1].map((at) =>
      flip(`material ${index} (${kind})`, offset + at, LaunchStatus.materialDigest),
    ),
  );
  const planBytes = range(header.planOffset, header.planOffset + header.planBytes, 16);
  const signature = range(ImageHeader.size, ImageHeader.size + SIGNATURE_BYTES, 251);
  return [
    ...materials,
    ...planBytes.map((at) => flip("the plan", at, LaunchStatus.planDigest)),
    ...range(0, ImageHeader.size, 3).map((at) => flip("the header", at, ...statusesOfHeader(at))),
    ...signature.map((at) => flip("the signature", at, LaunchStatus.signature)),
    ...range(TrustRecord.keys, TrustRecord.keys + owner.key.length, 5).map((at) =>
      bad(
        `a bit of the key is flipped, byte ${at}`,
        image,
        [LaunchStatus.signature],
        flipped(trustOfOwner, at),
      ),
    ),
    ...range(0, image.length, PAGE_SIZE).map((bytes) =>
      bad(`it is cut to ${bytes} bytes`, image.slice(0, bytes), [LaunchStatus.imageTruncated]),
    ),
    ...swappedMaterials().map(([name, changed]) =>
      bad(name, changed, [LaunchStatus.materialDigest]),
    ),
    bad(
      "an older version is replayed",
      image,
      [LaunchStatus.launchVersion],
      encodeTrust({ keys: [owner.key], leastLaunchVersion: VERSION + 1 }),
    ),
    bad("it is signed by another key", await signedImage(withoutSignature(), stranger), [
      LaunchStatus.signature,
    ]),
    bad("it is not signed", withoutSignature(), [LaunchStatus.signature]),
  ];

  function withoutSignature(): Uint8Array {
    return image.slice().fill(0, ImageHeader.size, ImageHeader.size + SIGNATURE_BYTES);
  }

  /** Each two materials change places, as far as the smaller one reaches. */
  function swappedMaterials(): readonly (readonly [string, Uint8Array])[] {
    return plan.materials.flatMap((one, index) =>
      plan.materials.slice(index + 1).flatMap((other, more) => {
        const bytes = Math.min(one.bytes, other.bytes);
        const changed = image.slice();
        changed.set(image.subarray(other.offset, other.offset + bytes), one.offset);
        changed.set(image.subarray(one.offset, one.offset + bytes), other.offset);
        return [[`materials ${index} and ${index + 1 + more} are swapped`, changed] as const];
      }),
    );
  }
}

/** What a change of a header's byte comes to: the first check that finds it. */
function statusesOfHeader(at: number): readonly LaunchStatus[] {
  if (at < ImageHeader.version) return [LaunchStatus.imageMagic];
  if (at < ImageHeader.machine) return [LaunchStatus.imageVersion];
  if (at < ImageHeader.launchVersion) return [LaunchStatus.imageTarget];
  if (at < ImageHeader.verify) return [LaunchStatus.signature];
  if (at < ImageHeader.imageBytes) return [LaunchStatus.imageMalformed, LaunchStatus.signature];
  if (at < ImageHeader.planDigest) {
    return [
      ...[LaunchStatus.imageMalformed, LaunchStatus.imageTruncated],
      ...[LaunchStatus.planDigest, LaunchStatus.signature],
    ];
  }
  return [LaunchStatus.planDigest];
}
