// SPDX-License-Identifier: Apache-2.0
// What tests need that look at launches in the simulator: described in memory, launched as planned,
// but for what is said to go otherwise.

import type { LaunchInput } from "../compiler/description/define-launch.js";
import { type DecodedImage, decodeImage } from "../compiler/image/decode-image.js";
import { compiled } from "../lab/lab-bench.js";
import type { Behaviour } from "../xen-model/domain-life.js";
import type { Receipt } from "../xen-model/receipt.js";
import { type Fault, parseFault } from "./faults.js";
import { launchAsPlanned } from "./launch-as-planned.js";
import { loadBootDomain } from "./simulate.js";

/** What goes otherwise than planned; times are milliseconds since a domain's start. */
export interface Otherwise {
  /** When a domain signals, and ends if that is what it is for; null: it is silent. */
  readonly ready?: Readonly<Record<string, number | null>>;
  /** When a domain crashes. */
  readonly crashes?: Readonly<Record<string, number>>;
  /** As the simulator takes them. */
  readonly faults?: readonly string[];
  readonly freePages?: number;
}

export interface SimulatedLaunch {
  readonly bytes: Uint8Array;
  readonly image: DecodedImage;
  readonly receipt: Receipt;
}

const SHUTDOWN_CRASH = 3;
const MILLISECOND_NS = 1e6;
/** A host with room for anything. */
const ANY_PAGES = 0x1000000;

/** Launches a description in the simulator; paths in it are relative to the checkout. */
export async function simulated(
  launch: LaunchInput,
  { ready = {}, crashes = {}, faults = [], freePages = ANY_PAGES }: Otherwise = {},
): Promise<SimulatedLaunch> {
  const { image: bytes } = await compiled(launch);
  const decoded = decodeImage(bytes);
  if (!decoded.ok) throw new Error("bug: the compiler's image can't be read");
  const { value: image } = decoded;
  const receipt = launchAsPlanned(bytes, image, {
    ...{ wasm: await loadBootDomain(), freePages, faults: faults.map(faultIn) },
    behaviours: {
      ...Object.fromEntries(
        Object.entries(ready).map(([name, after]) => [name, signalling(image, name, after)]),
      ),
      ...Object.fromEntries(
        Object.entries(crashes).map(([name, after]) => {
          return [name, { end: { atNs: after * MILLISECOND_NS, reason: SHUTDOWN_CRASH } }];
        }),
      ),
    },
  });
  return { bytes, image, receipt };
}

function signalling({ plan }: DecodedImage, name: string, after: number | null): Behaviour {
  const index = plan.domains.findIndex((domain) => domain.name === name);
  if (after === null) return {};
  const atNs = after * MILLISECOND_NS;
  const ends = plan.domains[index]?.readiness === "finished";
  return {
    signals: [{ atNs, port: index + 1 }],
    ...(ends ? { end: { atNs: atNs + MILLISECOND_NS, reason: 0 } } : {}),
  };
}

function faultIn(text: string): Fault {
  const parsed = parseFault(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.fault;
}
