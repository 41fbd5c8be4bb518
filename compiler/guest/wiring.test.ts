// SPDX-License-Identifier: Apache-2.0
// What domains are told of their links is true: whatever the description, each number that one of
// them is told stands in its peer's part of the plan too, and no two links share any.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BOOT_DOMID, PAGE_SIZE } from "../../contract/limits.js";
import { everyArchitecture } from "../../lab/lab-bench.js";
import type { LaunchInput } from "../description/define-launch.js";
import type { LaunchDescription } from "../description/description.js";
import { describeLaunch } from "../description/load-description.js";
import { formatSize } from "../description/size.js";
import { readStartOfDay } from "../explain/start.js";
import { arm64Platform } from "./arm64/platform.js";
import { layOutGuest } from "./guest.js";
import { guestKernel } from "./kernel-pages.js";
import type { Platform } from "./platform.js";
import { readTold, type Told, withTold } from "./told.js";
import { wireLaunch } from "./wire-launch.js";
import { type GuestWiring, unwired } from "./wiring.js";
import { x86Platform } from "./x86_64/platform.js";

const MIB = 0x100000;
const platforms = {
  x86_64: x86Platform,
  arm64: arm64Platform({ gic: 3, timerHertz: undefined }),
} as const;

type Links = NonNullable<LaunchInput["links"]>;

function describeIt(launch: Omit<LaunchInput, "domb">): LaunchDescription {
  const result = describeLaunch({ domb: 1, ...launch }, "/");
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join("\n"));
  return result.value;
}

interface Wired {
  readonly description: LaunchDescription;
  readonly wirings: ReadonlyMap<string, GuestWiring>;
}

function wire(launch: Omit<LaunchInput, "domb">, platform: Platform = x86Platform): Wired {
  const description = describeIt(launch);
  const result = wireLaunch(description, platform);
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join("\n"));
  return { description, wirings: result.value };
}

function told({ description, wirings }: Wired, name: string): string {
  const cmdline = description.domains.find((domain) => domain.name === name)?.cmdline ?? "";
  return withTold(cmdline, (wirings.get(name) ?? unwired).told);
}

const plain = (memory = "64 MiB", more: object = {}) => ({ kernel: "k", memory, ...more });

describe("what a domain is told", () => {
  const links: Links = [
    { kind: "event-channel", name: "bell", between: ["storage", "web"] },
    {
      ...{ kind: "shared-memory", name: "ring", size: "64 KiB" },
      ...{ writers: ["storage", "db"], readers: ["web"] },
    },
    { kind: "event-channel", name: "back", between: ["web", "storage"] },
    { kind: "event-channel", name: "alarm", between: ["storage", "db"] },
    { kind: "shared-memory", name: "log", size: "4 KiB", writers: ["storage"], readers: ["db"] },
  ];
  const launch = wire({
    domains: {
      storage: plain("64 MiB", { cmdline: "quiet", ready: { when: "signalled" } }),
      rescue: plain("64 MiB", { roles: ["recovery"] }),
      web: plain(),
      db: plain("64 MiB", { domid: 77, ready: { when: "finished" } }),
    },
    links,
  });

  it("follows its own command line, in the description's order", () => {
    // 64 KiB for three, 4 KiB for two: 50 references at the end of a table of five frames.
    expect(told(launch, "storage")).toBe(
      [
        ...["quiet", `domb.ready=${BOOT_DOMID}:1`, "domb.link.bell=open:3:1"],
        ...["domb.link.ring=own:16368:16:2510:1", "domb.link.back=bind:3:1"],
        ...["domb.link.alarm=open:77:2", "domb.link.log=own:16367:1:2558:1"],
      ].join(" "),
    );
    expect(told(launch, "web")).toBe(
      "domb.link.bell=bind:1:1 domb.link.ring=map:1:2542:16:read domb.link.back=open:1:1",
    );
    expect(told(launch, "db")).toBe(
      [
        ...[`domb.ready=${BOOT_DOMID}:3`, "domb.link.ring=map:1:2526:16:write"],
        ...["domb.link.alarm=bind:1:2", "domb.link.log=map:1:2559:1:read"],
      ].join(" "),
    );
    expect(told(launch, "rescue")).toBe("");
  });

  it("is what the plan makes true", () => {
    expect({ ...launch.wirings.get("storage"), told: [] }).toEqual({
      told: [],
      channels: [
        { peer: 3, port: 1 },
        { peer: 77, port: 2 },
      ],
      grants: [
        { peer: 1, reference: 2510, frame: 16368, count: 16, access: "write" },
        { peer: 77, reference: 2526, frame: 16368, count: 16, access: "write" },
        { peer: 3, reference: 2542, frame: 16368, count: 16, access: "read" },
        { peer: 1, reference: 2558, frame: 16367, count: 1, access: "write" },
        { peer: 77, reference: 2559, frame: 16367, count: 1, access: "read" },
      ],
      memory: [{ start: 16367, end: 16384 }],
      maxEventChannelPort: 131,
      maxGrantFrames: 5,
      maxMaptrackFrames: 1,
    });
    expect(launch.wirings.get("rescue")).toEqual(unwired);
  });

  it("is nothing without links, and leaves the limits as they were", () => {
    const limits = { maxEventChannelPort: 127, maxGrantFrames: 4, maxMaptrackFrames: 0 };
    expect(unwired).toEqual({ told: [], channels: [], grants: [], memory: [], ...limits });
  });

  it("lies at the top of the highest memory that has room for it", () => {
    const ring = (name: string, size: string): Links[number] => ({
      ...{ kind: "shared-memory", name, size },
      ...{ writers: ["storage"], readers: ["web"] },
    });
    // 3 MiB of it lie above 4 GiB.
    const memory = `${0xf00 + 3} MiB`;
    const { wirings } = wire({
      domains: { storage: plain(memory), web: plain() },
      links: [ring("a", "2 MiB"), ring("b", "2 MiB"), ring("c", "1 MiB")],
    });
    expect(wirings.get("storage")?.memory).toEqual([
      { start: 0xefe00, end: 0xf0000 },
      { start: 0x100000, end: 0x100300 },
    ]);
  });

  it("is refused when the memory does not hold it, with all that takes it", () => {
    const description = describeIt({
      domains: { storage: plain("2 MiB"), web: plain() },
      links: ["a", "b"].map((name) => ({
        ...{ kind: "shared-memory" as const, name, size: "1028 KiB" },
        ...{ writers: ["storage"], readers: ["web"] },
      })),
    });
    expect(wireLaunch(description, x86Platform).diagnostics).toMatchObject([
      {
        code: "DOMB4011",
        place: { path: ["domains", "storage", "memory"] },
        message: 'the links of "storage" take 2056 KiB of its memory, which is 2 MiB',
        related: [{ message: "link a takes 1028 KiB" }, { message: "link b takes 1028 KiB" }],
      },
    ]);
  });
});

describe("links that take more of Xen's tables than they may", () => {
  it("are refused, with the pages that they take", () => {
    const readers = ["a", "b", "c", "d"];
    const description = describeIt({
      domains: {
        storage: plain("2 GiB"),
        ...Object.fromEntries(readers.map((name) => [name, plain()])),
      },
      links: Array.from({ length: 26 }, (_, index) => ({
        ...{ kind: "shared-memory" as const, name: `ring${index}`, size: "64 MiB" },
        ...{ writers: ["storage"], readers },
      })),
    });
    // 26 × 16,384 pages for five domains, at 512 of them a page, and a kernel's own four.
    expect(wireLaunch(description, x86Platform).diagnostics).toMatchObject([
      {
        code: "DOMB4013",
        place: { path: ["domains", "storage"] },
        message: 'the links of "storage" take 4164 pages of Xen for grants, wanted 4096 at most',
      },
    ]);
  });
});

const COUNT = 5;
const names = Array.from({ length: COUNT }, (_, index) => `d${index}`);
const linkName = fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,30}$/);
const parties = fc.shuffledSubarray(names, { minLength: 2 });
const link = fc.oneof(
  fc.record({ kind: fc.constant("event-channel" as const), name: linkName, parties }),
  fc.record({
    kind: fc.constant("shared-memory" as const),
    name: linkName,
    parties,
    pages: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 16384 })),
    writers: fc.integer({ min: 1, max: COUNT }),
  }),
);
const links = fc.uniqueArray(link, { selector: ({ name }) => name, maxLength: 30 }).map((all) =>
  all.map((one): Links[number] => {
    const { kind, name } = one;
    const [first = "", second = ""] = one.parties;
    if (one.kind === "event-channel") return { kind: one.kind, name, between: [first, second] };
    const size = formatSize(one.pages * PAGE_SIZE);
    return {
      ...{ kind: kind as "shared-memory", name, size },
      writers: one.parties.slice(0, one.writers),
      readers: one.parties.slice(one.writers),
    };
  }),
);
const domains = fc
  .tuple(
    ...names.map(() =>
      fc.record({
        // The last of them reaches beyond low memory, of which arm64 has 3 GiB.
        memory: fc.constantFrom("64 MiB", "1 GiB", "3 GiB", "3080 MiB", "3850 MiB"),
        when: fc.constantFrom("started" as const, "signalled" as const, "finished" as const),
        domid: fc.boolean(),
      }),
    ),
  )
  .map((all): LaunchInput["domains"] =>
    Object.fromEntries([
      ["rescue", plain("64 MiB", { roles: ["recovery"] })],
      ...all.map(({ memory, when, domid }, index) => [
        `d${index}`,
        plain(memory, { ready: { when }, ...(domid ? { domid: 900 - index } : {}) }),
      ]),
    ]),
  );

/** No number is in two of these ranges. */
function expectApart(ranges: readonly (readonly [first: number, count: number])[]): void {
  const sorted = ranges.toSorted(([a], [b]) => a - b);
  for (const [index, [first]] of sorted.entries()) {
    const [before = 0, count = 0] = sorted[index - 1] ?? [];
    expect(first).toBeGreaterThanOrEqual(before + count);
  }
}

describe.each(everyArchitecture)("the wiring of any links on %s", (_, architecture) => {
  const platform = platforms[architecture];

  /** Wires these domains and links, those that have memory for it. */
  function forAll(check: (wired: Wired) => void): void {
    let checked = 0;
    fc.assert(
      fc.property(domains, links, (someDomains, someLinks) => {
        const description = describeIt({ domains: someDomains, links: someLinks });
        const result = wireLaunch(description, platform);
        if (!result.ok) return;
        checked++;
        check({ description, wirings: result.value });
      }),
      { numRuns: 150 },
    );
    expect(checked).toBeGreaterThan(30);
  }

  it("shares no port, reference or frame between two of them", () => {
    forAll(({ description, wirings }) => {
      for (const { name, memoryBytes } of description.domains) {
        const wiring = wirings.get(name) ?? unwired;
        const { channels, grants, memory, maxGrantFrames, maxEventChannelPort } = wiring;
        const ports = channels.map(({ port }) => port);
        expect(ports.toSorted((a, b) => a - b)).toEqual(ports.map((_, index) => index + 1));
        expect(maxEventChannelPort).toBeGreaterThanOrEqual(127 + ports.length);

        expectApart(grants.map(({ reference, count }) => [reference, count]));
        const last = grants.at(-1);
        if (last !== undefined) {
          expect(last.reference + last.count).toBe(maxGrantFrames * 512);
          expect(grants[0]?.reference).toBeGreaterThanOrEqual(4 * 512);
        }

        const own = wiring.told.filter((word) => word.kind === "own");
        expectApart(own.map(({ frame, pages }) => [frame, pages]));
        for (const { frame, pages } of own) {
          const inside = platform.memoryRanges(memoryBytes).filter(({ address, bytes }) => {
            const end = (address + bytes) / PAGE_SIZE;
            return frame >= address / PAGE_SIZE && frame + pages <= end;
          });
          expect(inside).toHaveLength(1);
        }
        const pages = memory.reduce((sum, { start, end }) => sum + end - start, 0);
        expect(own.reduce((sum, word) => sum + word.pages, 0)).toBe(pages);
      }
    });
  });

  it("makes true what each domain is told, and no more than that", () => {
    forAll(({ description, wirings }) => {
      const main = description.domains.filter(({ recovery }) => !recovery);
      const nameOf = (domid: number) => main.find((domain) => domain.domid === domid)?.name ?? "";
      const of = (domid: number) => wirings.get(nameOf(domid)) ?? unwired;
      let channels = 0;
      let grants = 0;
      for (const [index, { name, domid, ready }] of main.entries()) {
        const wiring = wirings.get(name) ?? unwired;
        const signals = wiring.told.filter(({ kind }) => kind === "ready");
        expect(signals).toHaveLength(ready.when === "started" ? 0 : 1);
        for (const word of wiring.told) {
          switch (word.kind) {
            case "ready":
              expect(word).toEqual({ kind: "ready", peer: BOOT_DOMID, port: index + 1 });
              break;
            case "open":
              expect(wiring.channels).toContainEqual({ peer: word.peer, port: word.port });
              break;
            case "bind":
              channels++;
              expect(of(word.peer).channels).toContainEqual({ peer: domid, port: word.port });
              break;
            case "own": {
              grants++;
              const { reference, frame, pages: count } = word;
              const itself = { peer: domid, reference, frame, count, access: "write" };
              expect(wiring.grants).toContainEqual(itself);
              break;
            }
            case "map": {
              grants++;
              const { link: name, reference, pages: count, access } = word;
              const owner = of(word.peer).told.find(
                (one) => one.kind === "own" && one.link === name,
              );
              const frame = owner?.kind === "own" ? owner.frame : -1;
              const given = { peer: domid, reference, frame, count, access };
              expect(of(word.peer).grants).toContainEqual(given);
              const link = description.links.find((one) => one.name === name);
              const readers = link?.kind === "shared-memory" ? link.readers : [];
              expect(access).toBe(readers.includes(nameOf(domid)) ? "read" : "write");
            }
          }
        }
      }
      const all = [...wirings.values()];
      expect(all.reduce((sum, wiring) => sum + wiring.channels.length, 0)).toBe(channels);
      expect(all.reduce((sum, wiring) => sum + wiring.grants.length, 0)).toBe(grants);
    });
  });

  it("leaves link memory to it alone in every guest that is laid out", () => {
    const address = platform.lowMemory.start + 0x200000;
    const segments = [{ address, bytes: Buffer.from("code"), memoryBytes: 4 * MIB }];
    const kernel = guestKernel({ architecture, entry: address, segments });
    const ramdisk = new Uint8Array(5 * MIB);
    const target = { platform, xen: "4.17" };
    const places = { memory: {}, vcpus: {}, cmdline: {} };
    forAll(({ description, wirings }) => {
      for (const domain of description.domains) {
        const wiring = wirings.get(domain.name) ?? unwired;
        const guest = layOutGuest(domain, kernel, ramdisk, target, wiring.told, places);
        if (!guest.ok) {
          expect(guest.diagnostics[0]?.code).toMatch(/DOMB4001|DOMB4012/);
          continue;
        }
        const { startOfDay, memory, ramdisk: placed } = guest.value;
        const pagesOf = (bytes: Uint8Array) => Math.ceil(bytes.length / PAGE_SIZE);
        expectApart([
          ...wiring.memory.map(({ start, end }) => [start, end - start] as const),
          [address / PAGE_SIZE, guest.value.kernel.length],
          [startOfDay.frame, pagesOf(startOfDay.bytes)],
          [placed?.frame ?? 0, pagesOf(ramdisk)],
        ]);
        // Xen gives it that memory all the same.
        expect(memory).toEqual(platform.memoryRanges(domain.memoryBytes));
        const read = readStartOfDay(architecture, startOfDay.bytes, startOfDay.frame * PAGE_SIZE);
        expect(readTold(read.cmdline ?? "")).toEqual({ own: domain.cmdline, told: wiring.told });
        const reserved = read.memoryMap.filter(({ type }) => type === 2);
        for (const { start, end } of wiring.memory) {
          const bytes = (end - start) * PAGE_SIZE;
          expect(reserved).toContainEqual({ address: start * PAGE_SIZE, bytes, type: 2 });
        }
        const ram = read.memoryMap.filter(({ type }) => type !== 2);
        const told = ram.reduce((sum, { bytes }) => sum + bytes, 0);
        const links = wiring.memory.reduce((sum, { start, end }) => sum + (end - start), 0);
        const free = architecture === "arm64" ? 0 : links * PAGE_SIZE;
        expect(told).toBe(domain.memoryBytes - free);
      }
    });
  });
});

describe("words behind a command line", () => {
  const number = fc.nat();
  const base = { link: linkName, peer: number };
  const words: fc.Arbitrary<Told> = fc.oneof(
    fc.record({ kind: fc.constant("ready" as const), peer: number, port: number }),
    fc.record({ kind: fc.constantFrom("open" as const, "bind" as const), ...base, port: number }),
    fc.record({
      ...{ kind: fc.constant("own" as const), link: linkName },
      ...{ frame: number, pages: number, reference: number, domid: number },
    }),
    fc.record({
      ...{ kind: fc.constant("map" as const), ...base, reference: number, pages: number },
      access: fc.constantFrom("write" as const, "read" as const),
    }),
  );
  const own = fc.oneof(
    fc.string({ unit: "grapheme" }).filter((text) => !/(^| )domb\./.test(text)),
    fc.constantFrom("", " ", "quiet ", "a=b:c  d"),
  );

  it("are read back as they were told, and the domain's own with them", () => {
    fc.assert(
      fc.property(own, fc.array(words, { maxLength: 8 }), (text, told) => {
        expect(readTold(withTold(text, told))).toEqual({ own: text, told });
      }),
    );
  });

  it.each([
    "domb.ready=1",
    "domb.ready=01:2",
    "domb.ready=1:2:3",
    "domb.link.=open:1:2",
    "domb.link.bell=close:1:2",
    "domb.link.bell=open:1",
    "domb.link.ring=own:1:2:x",
    "domb.link.ring=map:1:2:3:execute",
    "domb.link.ring=map:1:2:3",
  ])("are not %s", (text) => {
    expect(readTold(text)).toEqual({ own: text, told: [] });
  });
});
