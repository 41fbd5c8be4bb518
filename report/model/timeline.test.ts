// SPDX-License-Identifier: Apache-2.0
// Timelines and critical paths of imagined launches: what must hold of each, and a few by hand.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { criticalPathOf } from "./critical-path.js";
import { type ImaginedDomain, imagine, imaginedDomains } from "./imagined-launch.js";
import type { PlanFacts } from "./plan-facts.js";
import { newsFor, type Timeline, timelineOf } from "./timeline.js";

/** A domain that is made in 100 µs, told and started in 10 µs each. */
function domain(name: string, more: Partial<ImaginedDomain> = {}): ImaginedDomain {
  return {
    ...{ name, after: [], readiness: "started", readyAfter: 0, onFailure: "abort" },
    ...{ make: 100, tell: 10, start: 10, ...more },
  };
}

function drawn(domains: readonly ImaginedDomain[]) {
  const { facts, part } = imagine(domains);
  const timeline = timelineOf(facts, part);
  return { facts, part, timeline, path: criticalPathOf(facts, timeline) };
}

/** What the boot domain did, one word each, waits between. */
function story({ activities, waits, domains }: Timeline): string[] {
  return activities.flatMap(({ kind, domain }, index) => {
    const wait = waits.find(({ before }) => before === index);
    const names = wait?.awaited.map((one) => domains[one]?.name).join("+");
    const name = domain === undefined ? "" : ` ${domains[domain]?.name}`;
    return [...(wait === undefined ? [] : [`wait ${names}`]), `${kind}${name}`];
  });
}

/** The longest chain there is, by trying all: of activities and readiness alike. */
function longestByTrying(facts: PlanFacts, { activities, domains }: Timeline): number {
  const memory = new Map<string, number>();
  const upTo = (index: number): number => {
    const activity = activities[index];
    if (activity === undefined) return 0;
    const known = memory.get(String(index));
    if (known !== undefined) return known;
    const all = [...domains.keys()];
    const ofReadiness = newsFor(facts, activity, all).map((guard) => {
      const start = activities.findIndex((one) => one.kind === "start" && one.domain === guard);
      const readiness = domains[guard]?.readiness;
      const startedNs = activities[start]?.endedNs ?? 0;
      if (start < 0 || readiness == null || readiness.endedNs > activity.beganNs) return 0;
      return start < index ? upTo(start) + Math.max(0, readiness.endedNs - startedNs) : 0;
    });
    const before = Math.max(index === 0 ? 0 : upTo(index - 1), ...ofReadiness);
    const length = before + activity.endedNs - activity.beganNs;
    memory.set(String(index), length);
    return length;
  };
  return upTo(activities.length - 1);
}

describe("a timeline", () => {
  test("has what the boot domain did one after the other, and its waits between", () => {
    const { timeline } = drawn([
      domain("db", { readiness: "signalled", readyAfter: 700 }),
      domain("web", { after: [0] }),
      domain("log"),
    ]);
    expect(story(timeline)).toEqual([
      ...["accept", "make db", "make web", "make log", "tell db", "tell web", "tell log"],
      ...["start db", "start log", "wait db", "start web", "exit"],
    ]);
    expect(timeline.waits).toEqual([
      { beganNs: 380_000, endedNs: 1_060_000, awaited: [0], before: 9 },
    ]);
    expect(timeline.domains[0]).toMatchObject({
      ...{ createdNs: 30_000, startedNs: 360_000, readyNs: 1_060_000 },
      readiness: { beganNs: 360_000, endedNs: 1_060_000 },
    });
  });

  test("ends the wait for a domain that is late when its time is over, and undoes", () => {
    const { timeline } = drawn([
      domain("db", { readiness: "signalled", readyAfter: null }),
      domain("web", { after: [0] }),
    ]);
    expect(story(timeline).slice(-2)).toEqual(["wait db", "undo"]);
    const { readiness } = timeline.domains[0] ?? {};
    expect(readiness).toEqual({ beganNs: 250_000, endedNs: 5_250_000 });
    expect(timeline.activities.at(-1)?.beganNs).toBe(5_250_000);
  });

  test("covers the whole launch with activities and waits, in the order of time", () => {
    fc.assert(
      fc.property(imaginedDomains, (domains) => {
        const { timeline, part } = drawn(domains);
        const { activities, waits, durationNs } = timeline;
        const spans = [...activities, ...waits].sort(
          (a, b) => a.beganNs - b.beganNs || a.endedNs - b.endedNs,
        );
        let at = 0;
        for (const { beganNs, endedNs } of spans) {
          expect(beganNs).toBeGreaterThanOrEqual(at);
          expect(endedNs).toBeGreaterThanOrEqual(beganNs);
          at = endedNs;
        }
        expect(at).toBe(durationNs);
        const waited = waits.reduce((sum, { beganNs, endedNs }) => sum + endedNs - beganNs, 0);
        // Destroying a domain takes a tick, of which a receipt tells no end.
        const gone = timeline.domains.filter(({ destroyedNs }) => destroyedNs !== null).length;
        expect(waited).toBeGreaterThanOrEqual(part.waitTicks * 1000);
        expect(waited).toBeLessThanOrEqual((part.waitTicks + gone) * 1000);
      }),
    );
  });

  test("takes any receipt of the plan, whatever its times", () => {
    const tick = fc.nat(10_000);
    fc.assert(
      fc.property(imaginedDomains, fc.infiniteStream(tick), (domains, ticks) => {
        const { facts, part } = imagine(domains);
        const next = (): number => ticks.next().value ?? 0;
        const steps = part.steps.map(() => ({ beganAt: next(), endedAt: next() }));
        const records = part.domains.map((record) => ({
          ...record,
          ...{ createdAt: next(), startedAt: next(), readyAt: next(), endedAt: next() },
        }));
        const times = { beganAt: next(), endedAt: next(), steps, domains: records };
        const timeline = timelineOf(facts, { ...part, ...times });
        const { lengthNs } = criticalPathOf(facts, timeline);
        expect(Number.isFinite(lengthNs)).toBe(true);
        for (const { beganNs, endedNs } of [...timeline.activities, ...timeline.waits]) {
          expect(beganNs).toBeGreaterThanOrEqual(0);
          expect(endedNs).toBeGreaterThanOrEqual(beganNs);
          expect(endedNs).toBeLessThanOrEqual(timeline.durationNs);
        }
      }),
    );
  });
});

describe("a critical path", () => {
  test("leads through the readiness that the launch waited for", () => {
    const { timeline, path } = drawn([
      domain("db", { readiness: "signalled", readyAfter: 700 }),
      domain("web", { after: [0] }),
      domain("log"),
    ]);
    const words = path.links.map((link) => {
      if (link.kind === "readiness") return `ready ${timeline.domains[link.domain]?.name}`;
      const { kind, domain: index } = timeline.activities[link.activity] ?? {};
      return index === undefined ? kind : `${kind} ${timeline.domains[index]?.name}`;
    });
    expect(words).toEqual([
      ...["accept", "make db", "make web", "make log", "tell db", "tell web", "tell log"],
      ...["start db", "ready db", "start web", "exit"],
    ]);
    expect(path.lengthNs).toBe(timeline.durationNs);
  });

  test("is every activity where nothing was awaited", () => {
    const { timeline, path } = drawn([domain("one"), domain("two", { after: [0] })]);
    expect(path.links.map(({ kind }) => kind)).toEqual(timeline.activities.map(() => "activity"));
    expect(path.lengthNs).toBe(timeline.durationNs);
  });

  test("is a chain in time, and no longer one exists", () => {
    fc.assert(
      fc.property(imaginedDomains, (domains) => {
        const { facts, timeline, path } = drawn(domains);
        let at = 0;
        for (const { beganNs, endedNs } of path.links) {
          expect(beganNs).toBeGreaterThanOrEqual(at);
          at = endedNs;
        }
        expect(at).toBe(timeline.durationNs);
        const sum = path.links.reduce((all, { beganNs, endedNs }) => all + endedNs - beganNs, 0);
        expect(path.lengthNs).toBe(sum);
        expect(path.lengthNs).toBe(longestByTrying(facts, timeline));
      }),
    );
  });
});
