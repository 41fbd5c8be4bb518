// SPDX-License-Identifier: Apache-2.0
// Random launches, each a description that the compiler accepts: up to 50 domains that wait for each
// other in any order, links, pools, a recovery domain; what the domains then do, late, never, twice, on
// the wrong channel, crashing at any moment; hypercalls that fail, bits that flip, little memory.

import fc from "fast-check";
import type { DomainInput, LaunchInput } from "../../compiler/description/define-launch.js";
import { errnos } from "../../xen-model/errno.js";
import { failuresOn } from "../../xen-model/failures.js";
import { type Architecture, architectures } from "../../xen-model/machines.js";
import { type ShutdownReason, shutdownReasons } from "../../xen-model/shutdown.js";
import type { Deed, NamedBehaviour } from "../behaviours.js";
import type { Fault } from "../faults.js";

/** A launch, and what goes otherwise than it is meant to. */
export interface RandomLaunch {
  readonly architecture: Architecture;
  /** Its files are relative to the checkout. */
  readonly launch: LaunchInput;
  readonly behaviours: readonly NamedBehaviour[];
  readonly faults: readonly Fault[];
  /** Bits that are flipped: where in the image, as a part of its length below 1, and which. */
  readonly flips: readonly { readonly at: number; readonly bit: number }[];
  /** Free memory, in percent of what the launch takes. */
  readonly freePercent: number | undefined;
}

const MOST_DOMAINS = 50;
const FEW_DOMAINS = 8;
const MOST_LINKS = 8;
/** Physical CPUs of the host; the last ones are in pools. */
export const HOST_CPUS = 8;

const any = fc.nat({ max: 0x7fffffff });
/** So often in a hundred times; a smaller launch has none. */
const rarely = <Value>(arbitrary: fc.Arbitrary<Value>, times: number) =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: 100 - times, arbitrary: fc.constant(undefined) },
    { weight: times, arbitrary },
  );

/** A moment after a domain's start, in microseconds: near it, or near its limit. */
const moment = fc.record({
  nearLimit: fc.boolean(),
  us: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3000, max: 7000 })),
});
type Moment = typeof moment extends fc.Arbitrary<infer Value> ? Value : never;

const deeds = fc.record({
  signals: fc.array(
    fc.record({ moment, port: fc.option(fc.nat({ max: 60 }), { nil: undefined }) }),
    {
      maxLength: 3,
    },
  ),
  end: fc.option(
    fc.record({
      moment,
      reason: fc.constantFrom(...(Object.keys(shutdownReasons) as ShutdownReason[])),
    }),
    { nil: undefined },
  ),
});

const within = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 51, max: 5000 }));

const domain = fc.record({
  // Who waits for whom: those of a lower rank are awaited.
  rank: fc.nat({ max: 1000 }),
  after: fc.array(any, { maxLength: 3 }),
  when: fc.constantFrom("started", "signalled", "signalled", "finished"),
  within,
  onFailure: fc.constantFrom("abort", "continue", "recover"),
  memory: fc.integer({ min: 2, max: 6 }),
  vcpus: fc.constantFrom(1, 1, 1, 2, 3),
  output: fc.boolean(),
  pool: fc.nat({ max: 3 }),
  weight: rarely(fc.integer({ min: 1, max: 65535 }), 10),
  cap: rarely(fc.nat({ max: 100 }), 10),
  pinned: fc.boolean(),
  deeds: rarely(deeds, 15),
});
type Domain = typeof domain extends fc.Arbitrary<infer Value> ? Value : never;

const link = fc.record({
  isMemory: fc.boolean(),
  pages: fc.integer({ min: 1, max: 16 }),
  one: any,
  other: any,
});
type Link = typeof link extends fc.Arbitrary<infer Value> ? Value : never;

const fault = fc.record({ row: any, occurrence: any, done: fc.nat({ max: 600 }) });
type RandomFault = typeof fault extends fc.Arbitrary<infer Value> ? Value : never;

/** Up to eight domains, or one time in four more. */
function domainsUpTo(most: number) {
  const few = fc.array(domain, {
    minLength: 1,
    maxLength: Math.min(FEW_DOMAINS, most),
    size: "max",
  });
  if (most <= FEW_DOMAINS) return few;
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 3, arbitrary: few },
    {
      weight: 1,
      arbitrary: fc.array(domain, { minLength: FEW_DOMAINS + 1, maxLength: most, size: "max" }),
    },
  );
}

const shapeOf = (mostDomains: number) =>
  fc.record({
    architecture: fc.constantFrom(...architectures),
    domains: domainsUpTo(mostDomains),
    recovery: fc.option(fc.nat({ max: 7 }), { nil: undefined }),
    control: fc.option(any, { nil: undefined }),
    xenstore: fc.option(any, { nil: undefined }),
    links: fc.array(link, { maxLength: MOST_LINKS }),
    pools: fc.array(fc.record({ cpus: fc.integer({ min: 1, max: 3 }), isCredit: fc.boolean() }), {
      maxLength: 2,
    }),
    faults: rarely(fc.array(fault, { minLength: 1, maxLength: 2 }), 25),
    flips: rarely(
      fc.array(fc.record({ at: fc.nat({ max: 0xfffffff }), bit: fc.nat({ max: 7 }) }), {
        minLength: 1,
        maxLength: 2,
      }),
      10,
    ),
    freePercent: rarely(fc.nat({ max: 110 }), 5),
  });
type Shape = ReturnType<typeof shapeOf> extends fc.Arbitrary<infer Value> ? Value : never;

/** Random launches of so many domains at most, and perhaps a recovery domain; smaller is simpler. */
export function arbitraryLaunch(mostDomains = MOST_DOMAINS): fc.Arbitrary<RandomLaunch> {
  return shapeOf(mostDomains).map(launchOf);
}

const kernels: Readonly<Record<Architecture, string>> = {
  x86_64: "build/guests/hello.elf",
  arm64: "build/guests/arm64/hello.elf",
};

const nameOf = (index: number): string => `d${index}`;
const RESCUE = "rescue";

function launchOf(random: Shape): RandomLaunch {
  const { architecture, domains, recovery, links, faults = [], flips = [], freePercent } = random;
  const names = domains.map((_, index) => nameOf(index));
  const pools = poolsOf(random);
  const inputs = domains.map((one, index) => domainOf(one, index, random, pools));
  const rescue: DomainInput = {
    kernel: kernels[architecture],
    ...{ memory: `${2 + ((recovery ?? 0) % 4)} MiB`, roles: rolesOfRescue(recovery ?? 0) },
  };
  const joined = links.flatMap((one, index) => linkOf(one, index, domains, names) ?? []);
  const launch: LaunchInput = {
    domb: 1,
    ...(pools.length === 0
      ? {}
      : {
          host: { cpus: HOST_CPUS },
          pools: Object.fromEntries(pools.map((pool) => [pool.name, pool.input])),
        }),
    domains: {
      ...Object.fromEntries(inputs.map((input, index) => [nameOf(index), input])),
      ...(recovery === undefined ? {} : { [RESCUE]: rescue }),
    },
    ...(joined.length === 0 ? {} : { links: joined }),
  };
  return {
    ...{ architecture, launch, freePercent },
    behaviours: domains.flatMap((one, index) => behaviourOf(one, nameOf(index)) ?? []),
    faults: faults.map((one) => faultOf(one, architecture, domains.length)),
    flips: flips.map(({ at, bit }) => ({ at: at / 0x10000000, bit })),
  };
}

interface Pool {
  readonly name: string;
  readonly cpus: readonly number[];
  readonly input: NonNullable<LaunchInput["pools"]>[string];
}

/** Pools of the last CPUs, none of which is in two of them. */
function poolsOf({ pools }: Shape): readonly Pool[] {
  let next = HOST_CPUS;
  return pools.map(({ cpus: count, isCredit }, index) => {
    next -= count;
    const cpus = Array.from({ length: count }, (_, cpu) => next + cpu);
    const scheduler = isCredit ? "credit" : "credit2";
    return { name: `pool${index}`, cpus, input: { cpus, scheduler } };
  });
}

function domainOf(one: Domain, index: number, random: Shape, pools: readonly Pool[]): DomainInput {
  const { architecture, domains, recovery, control, xenstore } = random;
  const pool = pools[one.pool];
  const cpus = pool?.cpus ?? [0, 1];
  const isPinned = one.pinned && cpus.length >= one.vcpus;
  const has = (role: number | undefined): boolean =>
    role !== undefined && role % domains.length === index;
  const roles = [
    ...(has(control) ? (["control"] as const) : []),
    ...(has(xenstore) ? (["xenstore"] as const) : []),
  ];
  const after = awaitedBy(one, index, domains).map(nameOf);
  const onFailure = one.onFailure === "recover" && recovery === undefined ? "abort" : one.onFailure;
  return {
    kernel: kernels[architecture],
    ...{ cmdline: `domain ${index}`, memory: `${one.memory} MiB` },
    ...(one.vcpus === 1 ? {} : { vcpus: one.vcpus }),
    ...(one.output ? { output: "xen-log" as const } : {}),
    ...(roles.length > 0 ? { roles } : {}),
    ...(after.length === 0 ? {} : { after }),
    ...(one.when === "started"
      ? {}
      : { ready: { when: one.when as "signalled" | "finished", within: `${one.within} ms` } }),
    ...(onFailure === "abort" ? {} : { onFailure: onFailure as "continue" | "recover" }),
    ...(pool === undefined ? {} : { pool: pool.name }),
    ...(isPinned ? { cpus: [...cpus], pinned: true } : {}),
    ...(one.weight === undefined ? {} : { weight: one.weight }),
    ...(one.cap === undefined ? {} : { cap: one.cap }),
  };
}

/** Domains that come before a domain in an order that has no circle. */
function awaitedBy(one: Domain, index: number, domains: readonly Domain[]): readonly number[] {
  const earlier = domains.flatMap(({ rank }, other) =>
    rank < one.rank || (rank === one.rank && other < index) ? [other] : [],
  );
  return [...new Set(one.after.flatMap((choice) => earlier[choice % earlier.length] ?? []))];
}

/** Roles that it may share with domains whose place it takes. */
function rolesOfRescue(choice: number): NonNullable<DomainInput["roles"]> {
  return [
    "recovery",
    ...(choice & 1 ? (["control"] as const) : []),
    ...(choice & 2 ? (["xenstore"] as const) : []),
    ...(choice & 4 ? (["console"] as const) : []),
  ];
}

/** A link between two domains; what has finished before the other starts owns none. */
function linkOf(
  { isMemory, pages, one, other }: Link,
  index: number,
  domains: readonly Domain[],
  names: readonly string[],
): NonNullable<LaunchInput["links"]>[number] | undefined {
  const [owner, peer] = [one % domains.length, other % domains.length];
  const [first, second] = [names[owner], names[peer]];
  if (owner === peer || first === undefined || second === undefined) return undefined;
  if (domains[owner]?.when === "finished") return undefined;
  const name = `link${index}`;
  return isMemory
    ? { kind: "shared-memory", name, size: `${pages * 4} KiB`, writers: [first], readers: [second] }
    : { kind: "event-channel", name, between: [first, second] };
}

function behaviourOf(
  { deeds: done, when, within: limit }: Domain,
  name: string,
): NamedBehaviour | undefined {
  if (done === undefined) return undefined;
  const atNs = ({ nearLimit, us }: Moment): number => {
    const base = nearLimit && when !== "started" ? limit * 1000 : 0;
    return Math.max(0, base + us) * 1000;
  };
  const { signals, end } = done;
  const list: readonly Deed[] = [
    ...signals.map((one) => ({ kind: "signal" as const, atNs: atNs(one.moment), port: one.port })),
    ...(end === undefined
      ? []
      : [{ kind: "end" as const, atNs: atNs(end.moment), reason: end.reason }]),
  ];
  return { name, deeds: list };
}

/** A failure of the table, of a hypercall that a launch of so many domains may well make. */
function faultOf(
  { row, occurrence, done }: RandomFault,
  architecture: Architecture,
  domains: number,
): Fault {
  const failures = failuresOn(architecture);
  const { hypercall, answer, partial } = failures[row % failures.length] ?? {
    ...{ hypercall: "createDomain" as const, answer: "ENOMEM" as const, partial: false },
  };
  const which = { hypercall, occurrence: 1 + (occurrence % (2 * domains)) };
  if (answer === "fewer") return { ...which, answer: done, done };
  return { ...which, answer: -(errnos.get(answer) ?? 1), done: partial ? done : 0 };
}
