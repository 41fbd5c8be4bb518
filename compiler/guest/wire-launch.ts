// SPDX-License-Identifier: Apache-2.0
// From a description's links to what each domain is told of them, with every number. All of it is
// known before the host is switched on: ports of a domain count from 1 in the description's order;
// grants lie at the end of its grant table, where Linux comes last; shared memory is the top of its
// owner's memory.

import { BOOT_DOMID, PAGE_SIZE } from "../../contract/limits.js";
import { GUEST_GNTTAB_SIZE } from "../../contract/xen-abi-arm64.js";
import type {
  DomainDescription,
  LaunchDescription,
  Link,
  Readiness,
  SharedMemoryLink,
} from "../description/description.js";
import { formatSize } from "../description/size.js";
import type { Diagnostic, Result } from "../diagnostics/diagnostic.js";
import type { MemoryRange } from "./memory-ranges.js";
import type { Platform } from "./platform.js";
import { guestRules } from "./rules.js";
import { signalPort, type Told } from "./told.js";
import {
  type GuestWiring,
  grantFramesFor,
  REFERENCES_PER_FRAME,
  unwired,
  wiringOf,
} from "./wiring.js";

/** Frames that a domain's grant table may have: what Linux has addresses for on arm64. */
const MOST_GRANT_FRAMES = GUEST_GNTTAB_SIZE / PAGE_SIZE;
/** Frames for what a domain maps: 8 GiB by two programs. */
const MOST_MAPTRACK_FRAMES = 16384;

/** Where a link's memory lies in its owner's, and the owner's first reference to it. */
interface OwnMemory {
  readonly frame: number;
  readonly reference: number;
}

/** The numbers that domains are told of. */
interface Numbers {
  /** Of each domain, by name. */
  readonly domids: ReadonlyMap<string, number>;
  /** The port of the domain that opens it, by link. */
  readonly ports: ReadonlyMap<string, number>;
  /** Of each link that is memory. */
  readonly memories: ReadonlyMap<string, OwnMemory>;
}

/** The wiring of every domain, by name. */
export function wireLaunch(
  { domains, links, placeOf }: LaunchDescription,
  platform: Pick<Platform, "memoryRanges">,
): Result<ReadonlyMap<string, GuestWiring>> {
  const main = domains.filter(({ recovery }) => !recovery);
  const memories = new Map<string, OwnMemory>();
  const diagnostics: Diagnostic[] = [];
  for (const domain of main) {
    const owned = memoryLinks(links).filter(({ owner }) => owner === domain.name);
    const placed = placeMemory(owned, platform.memoryRanges(domain.memoryBytes));
    for (const [link, memory] of placed ?? []) memories.set(link, memory);
    if (placed === undefined) diagnostics.push(tooLittleMemory(domain, owned, links, placeOf));
  }
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  const numbers = {
    domids: new Map(main.map(({ name, domid }) => [name, domid])),
    ports: portsOf(main, links),
    memories,
  };
  const words = links.flatMap((link) => tellLink(link, numbers));
  const wirings = wiringOf(
    main.map(({ name, domid, vcpus, ready }, index) => ({
      ...{ domid, vcpus },
      told: [
        ...tellReady(ready, index),
        ...words.filter(([domain]) => domain === name).map(([, word]) => word),
      ],
    })),
  );
  for (const [index, { name }] of main.entries()) {
    diagnostics.push(...checkTables(name, wirings[index] ?? unwired, placeOf));
  }
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  const value = new Map(domains.map(({ name }) => [name, unwired]));
  for (const [index, { name }] of main.entries()) value.set(name, wirings[index] ?? unwired);
  return { ok: true, value, diagnostics };
}

/** How a domain says that it is ready; `index`: the domain's in the plan, from 0. */
function tellReady({ when }: Readiness, index: number): readonly Told[] {
  return when === "started" ? [] : [{ kind: "ready", peer: BOOT_DOMID, port: signalPort(index) }];
}

/** What each domain of a link is told of it. */
function tellLink(
  link: Link,
  { domids, ports, memories }: Numbers,
): readonly (readonly [domain: string, word: Told])[] {
  const domidOf = (name: string): number => known(domids.get(name), name);
  const { name } = link;
  if (link.kind === "event-channel") {
    const { first, second } = link;
    const port = known(ports.get(name), name);
    return [
      [first, { kind: "open", link: name, peer: domidOf(second), port }],
      [second, { kind: "bind", link: name, peer: domidOf(first), port }],
    ];
  }
  const { owner, bytes } = link;
  const { frame, reference } = known(memories.get(name), name);
  const pages = bytes / PAGE_SIZE;
  const others = [
    ...link.writers.map((domain) => ({ domain, access: "write" as const })),
    ...link.readers.map((domain) => ({ domain, access: "read" as const })),
  ];
  return [
    [owner, { kind: "own", link: name, frame, pages, reference, domid: domidOf(owner) }],
    ...others.map(({ domain, access }, index) => {
      // The owner's references to itself come first.
      const theirs = { reference: reference + (index + 1) * pages, pages, access };
      return [
        domain,
        { kind: "map" as const, link: name, peer: domidOf(owner), ...theirs },
      ] as const;
    }),
  ];
}

function known<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`bug: nothing is known of ${name}`);
  return value;
}

/** Each domain opens its ports in the order of the links. */
function portsOf(
  domains: readonly DomainDescription[],
  links: readonly Link[],
): ReadonlyMap<string, number> {
  const channels = links.filter((link) => link.kind === "event-channel");
  return new Map(
    domains.flatMap(({ name }) =>
      channels
        .filter(({ first }) => first === name)
        .map((link, index) => [link.name, index + 1] as const),
    ),
  );
}

function memoryLinks(links: readonly Link[]): readonly SharedMemoryLink[] {
  return links.filter((link) => link.kind === "shared-memory");
}

/** Frames and references of a domain's own links, by name; undefined when it has too little memory. */
function placeMemory(
  owned: readonly SharedMemoryLink[],
  memory: readonly MemoryRange[],
): ReadonlyMap<string, OwnMemory> | undefined {
  const frames = framesFromTop(
    owned.map(({ bytes }) => bytes / PAGE_SIZE),
    memory,
  );
  if (frames === undefined) return undefined;
  const references = owned.map(
    ({ bytes, writers, readers }) => (bytes / PAGE_SIZE) * (1 + writers.length + readers.length),
  );
  const total = references.reduce((sum, count) => sum + count, 0);
  let reference = grantFramesFor(total) * REFERENCES_PER_FRAME - total;
  const placed = new Map<string, OwnMemory>();
  for (const [index, { name }] of owned.entries()) {
    placed.set(name, { frame: frames[index] ?? 0, reference });
    reference += references[index] ?? 0;
  }
  return placed;
}

/**
 * The first frame of each of these runs of pages: each lies right below the one before it, at the
 * top of the highest memory that has room for it.
 */
function framesFromTop(
  runs: readonly number[],
  memory: readonly MemoryRange[],
): readonly number[] | undefined {
  const free = memory
    .map(({ address, bytes }) => ({ start: address / PAGE_SIZE, pages: bytes / PAGE_SIZE }))
    .reverse();
  const frames: number[] = [];
  for (const pages of runs) {
    const range = free.find((candidate) => candidate.pages >= pages);
    if (range === undefined) return undefined;
    range.pages -= pages;
    frames.push(range.start + range.pages);
  }
  return frames;
}

/** What a domain's links need of Xen's tables for it, if that is more than any host should give. */
function checkTables(
  name: string,
  { maxGrantFrames, maxMaptrackFrames }: GuestWiring,
  placeOf: LaunchDescription["placeOf"],
): readonly Diagnostic[] {
  const tables = [
    { what: "grants", frames: maxGrantFrames, most: MOST_GRANT_FRAMES },
    { what: "mappings of grants", frames: maxMaptrackFrames, most: MOST_MAPTRACK_FRAMES },
  ];
  return tables
    .filter(({ frames, most }) => frames > most)
    .map(({ what, frames, most }) =>
      guestRules.diagnose("DOMB4013", {
        place: placeOf(["domains", name]),
        message: `the links of "${name}" take ${frames} pages of Xen for ${what}, wanted ${most} at most`,
        fix: "Share less memory, or with fewer domains.",
      }),
    );
}

function tooLittleMemory(
  { name, memoryBytes }: DomainDescription,
  owned: readonly SharedMemoryLink[],
  links: readonly Link[],
  placeOf: LaunchDescription["placeOf"],
): Diagnostic {
  const bytes = owned.reduce((sum, link) => sum + link.bytes, 0);
  return guestRules.diagnose("DOMB4011", {
    place: placeOf(["domains", name, "memory"]),
    message: `the links of "${name}" take ${formatSize(bytes)} of its memory, which is ${formatSize(memoryBytes)}`,
    fix: "Give it more memory, or let another writer come first in a link.",
    related: owned.map((link) => ({
      place: placeOf(["links", links.indexOf(link), "size"]),
      message: `link ${link.name} takes ${formatSize(link.bytes)}`,
    })),
  });
}
