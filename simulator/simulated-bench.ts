// SPDX-License-Identifier: Apache-2.0
// What tests need that look at launches in the simulator: described in memory, launched as planned,
// but for what is said to go otherwise.

import type { LaunchInput } from "../compiler/description/define-launch.js";
import { type DecodedImage, decodeImage } from "../compiler/image/decode-image.js";
import { compiled } from "../lab/lab-bench.js";
import type { Receipt } from "../xen-model/receipt.js";
import { behavioursIn, parseBehaviour } from "./behaviours.js";
import { injectFaults, parseFault } from "./faults.js";
import { loadBootDomain, simulateLaunch } from "./simulate.js";

/** What goes otherwise than planned, in the forms of `domb simulate`. */
export interface Otherwise {
  readonly behave?: readonly string[];
  readonly faults?: readonly string[];
  /** The bytes whose lowest bit is flipped on their way to the host. */
  readonly flipped?: readonly number[];
}

export interface SimulatedLaunch {
  readonly bytes: Uint8Array;
  readonly image: DecodedImage;
  readonly receipt: Receipt;
}

/** Pages of a host with room for all that tests launch. */
const ROOM = 0x1000000;

/** Launches a description in the simulator; paths in it are relative to the checkout. */
export async function simulated(
  launch: LaunchInput,
  otherwise: Otherwise = {},
): Promise<SimulatedLaunch> {
  const { image: bytes } = await compiled(launch);
  const decoded = decodeImage(bytes);
  if (!decoded.ok) throw new Error("bug: the compiler's image can't be read");
  const image = decoded.value;
  return { bytes, image, receipt: await receiptOf(bytes, image, otherwise) };
}

/** The receipt of an image's launch. */
export async function receiptOf(
  bytes: Uint8Array,
  { header, plan, recovery }: DecodedImage,
  { behave = [], faults = [], flipped = [] }: Otherwise = {},
): Promise<Receipt> {
  const damaged = bytes.slice();
  for (const at of flipped) damaged[at] = (damaged[at] ?? 0) ^ 1;
  const plans = [plan, ...(recovery === undefined ? [] : [recovery.plan])];
  const { receipt } = simulateLaunch(damaged, {
    ...{ wasm: await loadBootDomain(), machine: header.machine, freePages: ROOM },
    behaviourOf: behavioursIn(
      plans,
      behave.map((text) => {
        const parsed = parseBehaviour(text);
        if (!parsed.ok) throw new Error(parsed.problem);
        return parsed.behaviour;
      }),
    ),
    inject: injectFaults(
      faults.map((text) => {
        const parsed = parseFault(text);
        if (!parsed.ok) throw new Error(parsed.problem);
        return parsed.fault;
      }),
    ),
  });
  return receipt;
}
