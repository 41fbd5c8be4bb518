// SPDX-License-Identifier: Apache-2.0
// What makes true what the domains of a plan are told of their links: event channels, grants,
// memory, and the limits of their tables.

import type { FrameRange } from "./platform.js";
import { linkMemoryOf, type Told } from "./told.js";

/** Event channel ports of a domain beside those of its links: timer and console of its kernel. */
const OWN_PORTS = 127;
/** The least frames that Linux sets its grant table up with. */
const OWN_GRANT_FRAMES = 4;
/** References that a frame of a grant table holds, in version 1 (grant_entry_v1_t). */
export const REFERENCES_PER_FRAME = 512;
/** Mappings of grants that a maptrack frame holds (struct grant_mapping). */
const MAPPINGS_PER_FRAME = 256;
/** Programs that may have a domain's links mapped at a time: one may take over from another. */
const PROGRAMS = 2;

/** Event channel `port` of a domain, open for domain `peer`. */
export interface OpenChannel {
  readonly peer: number;
  readonly port: number;
}

/** References of a domain, from `reference` on, by which domain `peer` maps its frames. */
export interface Grant {
  readonly peer: number;
  readonly reference: number;
  readonly frame: number;
  readonly count: number;
  readonly access: "write" | "read";
}

/** What one domain has of its plan's links. */
export interface GuestWiring {
  /** What stands behind its own command line, in this order. */
  readonly told: readonly Told[];
  /** Its event channels that are opened before it starts. */
  readonly channels: readonly OpenChannel[];
  /** Grants that are made before it starts, by reference: to itself too, for its programs. */
  readonly grants: readonly Grant[];
  /** Its memory that is a link's, by ascending frame: cleared, and its kernel leaves it alone. */
  readonly memory: readonly FrameRange[];
  readonly maxEventChannelPort: number;
  readonly maxGrantFrames: number;
  readonly maxMaptrackFrames: number;
}

/** A domain, and what it is told. */
export interface ToldDomain {
  readonly domid: number;
  readonly vcpus: number;
  readonly told: readonly Told[];
}

/** Frames of the grant table of a domain with so many references of its links. */
export function grantFramesFor(references: number): number {
  return OWN_GRANT_FRAMES + Math.ceil(references / REFERENCES_PER_FRAME);
}

/** The wiring of each of a plan's domains, in their order. */
export function wiringOf(domains: readonly ToldDomain[]): readonly GuestWiring[] {
  const mappings = new Map<string, Mapping[]>();
  for (const { domid, told } of domains) {
    for (const word of told.filter((one) => one.kind === "map")) {
      const key = memoryKey(word.peer, word.link);
      mappings.set(key, [...(mappings.get(key) ?? []), { domid, word }]);
    }
  }
  return domains.map((domain) => wiringOfOne(domain, grantsOf(domain, mappings)));
}

/** That a domain is told to map a link's memory. */
interface Mapping {
  readonly domid: number;
  readonly word: Extract<Told, { kind: "map" }>;
}

function memoryKey(owner: number, link: string): string {
  return `${owner} ${link}`;
}

/** The wiring of a domain without links that need not say when it is ready. */
export const unwired: GuestWiring = wiringOfOne({ domid: 0, vcpus: 1, told: [] }, []);

function wiringOfOne({ told, vcpus }: ToldDomain, grants: readonly Grant[]): GuestWiring {
  const memory = told.filter((word) => word.kind === "own" || word.kind === "map");
  const pages = memory.reduce((sum, word) => sum + word.pages, 0);
  const references = grants.reduce((sum, { count }) => sum + count, 0);
  return {
    told,
    channels: told.flatMap((word) =>
      word.kind === "open" ? [{ peer: word.peer, port: word.port }] : [],
    ),
    grants,
    memory: linkMemoryOf(told),
    maxEventChannelPort: OWN_PORTS + told.length - memory.length,
    maxGrantFrames: grantFramesFor(references),
    // Xen keeps one entry of each vCPU's list back.
    maxMaptrackFrames: pages === 0 ? 0 : Math.ceil((PROGRAMS * pages + vcpus) / MAPPINGS_PER_FRAME),
  };
}

/** What a domain grants of its memory: to itself, and to each one that is told to map it. */
function grantsOf(
  { domid, told }: ToldDomain,
  mappings: ReadonlyMap<string, readonly Mapping[]>,
): readonly Grant[] {
  return told
    .filter((word) => word.kind === "own")
    .flatMap(({ link, frame, pages, reference }): readonly Grant[] => [
      { peer: domid, reference, frame, count: pages, access: "write" },
      ...(mappings.get(memoryKey(domid, link)) ?? []).map(({ domid: peer, word }) => ({
        ...{ peer, reference: word.reference, frame },
        ...{ count: word.pages, access: word.access },
      })),
    ])
    .toSorted((a, b) => a.reference - b.reference);
}
