// SPDX-License-Identifier: Apache-2.0
// Which orders can be, and which links can be used: over any domains.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LaunchInput } from "./define-launch.js";
import { describeLaunch } from "./load-description.js";

type Domains = LaunchInput["domains"];

const plain = { kernel: "k", memory: "64 MiB" };

function codesOf(domains: Domains, links: LaunchInput["links"] = []): readonly string[] {
  return describeLaunch({ domb: 1, domains, links }, "/").diagnostics.map(({ code }) => code);
}

/** Domains that are after others as `edges` says, each pair being the later one and the other. */
function ordered(count: number, edges: readonly (readonly [number, number])[]): Domains {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const after = edges.filter(([later]) => later === index).map(([, other]) => `d${other}`);
      return [`d${index}`, { ...plain, after }];
    }),
  );
}

/** Can all be started one by one, each after those that it waits for. */
function canStart(domains: Domains): boolean {
  const started = new Set<string>();
  const rest = new Map(Object.entries(domains));
  for (;;) {
    const next = [...rest].find(([, { after = [] }]) => after.every((name) => started.has(name)));
    if (next === undefined) return rest.size === 0;
    started.add(next[0]);
    rest.delete(next[0]);
  }
}

const COUNT = 7;
const index = fc.integer({ min: 0, max: COUNT - 1 });
const edges = fc
  .uniqueArray(fc.tuple(index, index), { selector: String, maxLength: 14 })
  .map((pairs) => pairs.filter(([later, other]) => later !== other));

describe("an order of domains", () => {
  it("is refused if and only if one of them could never start", () => {
    fc.assert(
      fc.property(edges, (pairs) => {
        const domains = ordered(COUNT, pairs);
        const codes = codesOf(domains);
        expect(new Set(codes)).toEqual(new Set(canStart(domains) ? [] : ["DOMB2104"]));
      }),
    );
  });

  it("is told by a cycle of its own for each domain, at most, and the edges that are on it", () => {
    fc.assert(
      fc.property(edges, (pairs) => {
        const domains = ordered(COUNT, pairs);
        const { diagnostics } = describeLaunch({ domb: 1, domains }, "/");
        for (const { message, related } of diagnostics) {
          const names = message.replace(/^.*: /, "").split(" → ");
          expect(names.at(-1)).toBe(names[0]);
          expect(new Set(names).size).toBe(names.length - 1);
          for (const [step, { place }] of related.entries()) {
            const [, name = "", , at = 0] = place.path ?? [];
            expect(name).toBe(names[step]);
            expect(domains[name]?.after?.[Number(at)]).toBe(names[step + 1]);
          }
          expect(related).toHaveLength(names.length - 1);
        }
      }),
    );
  });

  it("may be a chain of as many domains as there can be", () => {
    const chain = Array.from({ length: 127 }, (_, step) => [step, step + 1] as const);
    expect(codesOf(ordered(128, chain))).toEqual([]);
    expect(codesOf(ordered(128, [...chain, [127, 0]]))).toEqual(["DOMB2104"]);
  });
});

describe("a link with a domain that finishes", () => {
  const finished = { ...plain, ready: { when: "finished" } } as const;
  const bell = (between: [string, string]) => [{ kind: "event-channel", name: "bell", between }];
  const ring = (writers: string[], readers: string[]) => [
    { kind: "shared-memory", name: "ring", size: "4 KiB", writers, readers },
  ];
  const after = { ...plain, after: ["setup"] };
  const links = (given: object) => given as LaunchInput["links"];

  it("is its own to give only to those that do not wait for its end", () => {
    const domains = { setup: finished, web: after, log: plain };
    expect(codesOf(domains, links(bell(["setup", "web"])))).toEqual(["DOMB2204"]);
    expect(codesOf(domains, links(bell(["setup", "log"])))).toEqual([]);
    expect(codesOf(domains, links(ring(["setup"], ["log", "web"])))).toEqual(["DOMB2204"]);
  });

  it("may be memory of a domain that starts later, for which it writes something", () => {
    const domains = { setup: finished, web: after };
    expect(codesOf(domains, links(ring(["web", "setup"], [])))).toEqual([]);
  });

  it("is fine when the domain only signals", () => {
    const signalled = { ...plain, ready: { when: "signalled" } } as const;
    const domains = { setup: signalled, web: after };
    expect(codesOf(domains, links(bell(["setup", "web"])))).toEqual([]);
  });
});
