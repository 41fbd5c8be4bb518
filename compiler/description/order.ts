// SPDX-License-Identifier: Apache-2.0
// Rules on the order in which domains start: that each of them can start, and that what is awaited
// can come. They look at the value as it was read, right or wrong, as between-domains.ts does.

import { MAX_DOMAINS } from "../../contract/limits.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { RECOVERY_ROLE } from "../plan/roles.js";
import { isMapping } from "./judges.js";
import { nearestName } from "./nearest-name.js";
import { type Path, type Places, subjectOf } from "./places.js";
import { descriptionRules } from "./rules.js";

/** What the rules look at: a description's domains, as they were read. */
export type Domains = Readonly<Record<string, unknown>>;

/** A name in a list of names. */
export interface Mention {
  readonly name: string;
  readonly path: Path;
}

/**
 * The names in the list at `path`. A list that is longer than a description may have domains has a
 * fault among its first entries, whatever they are.
 */
export function mentionsIn(list: unknown, path: Path): readonly Mention[] {
  if (!Array.isArray(list)) return [];
  return list
    .slice(0, MAX_DOMAINS + 1)
    .flatMap((name: unknown, index) =>
      typeof name === "string" ? [{ name, path: [...path, index] }] : [],
    );
}

/** Is it the domain that is started instead of the others. */
export function isRecovery(domains: Domains, name: string): boolean {
  const roles = keyOf(domains, name, "roles");
  return Array.isArray(roles) && roles.includes(RECOVERY_ROLE);
}

/** The value of a domain's key. */
export function keyOf(domains: Domains, name: string, key: string): unknown {
  const domain = Object.hasOwn(domains, name) ? domains[name] : undefined;
  return isMapping(domain) ? domain[key] : undefined;
}

/** When a domain is ready. */
export function readyWhen(domains: Domains, name: string): unknown {
  const ready = keyOf(domains, name, "ready");
  return isMapping(ready) ? ready.when : undefined;
}

/** The names in a domain's `after`. */
function afterOf(domains: Domains, name: string): readonly Mention[] {
  return mentionsIn(keyOf(domains, name, "after"), ["domains", name, "after"]);
}

/** Checks order, readiness and failure of all domains. */
export function checkOrder(domains: Domains, places: Places): readonly Diagnostic[] {
  const names = Object.keys(domains);
  // That there are too many has its own diagnostic.
  if (names.length > MAX_DOMAINS) return [];
  return [
    ...names.flatMap((name) => checkAfter(domains, name, places)),
    ...checkCycles(domains, places),
    ...names.flatMap((name) => checkReady(domains, name, places)),
    ...checkRecover(domains, places),
  ];
}

/** Names that are nobody's, and names that are there twice; `called`: what a list's key is called. */
export function checkMentions(
  domains: Domains,
  mentions: readonly Mention[],
  places: Places,
  called: (list: string) => string,
): readonly Diagnostic[] {
  const first = new Map<string, Mention>();
  return mentions.flatMap((mention) => {
    const { name, path } = mention;
    const place = places.ofValue(path);
    const subject = called(String(path.at(-2)));
    if (!Object.hasOwn(domains, name)) {
      const meant = nearestName(name, Object.keys(domains));
      return [
        descriptionRules.diagnose("DOMB2101", {
          place,
          message: `${subject} names ${subjectOf(["domains", name])}, which there is not`,
          fix: meant === undefined ? "Name a domain of this launch." : `Did you mean \`${meant}\`?`,
        }),
      ];
    }
    const earlier = first.get(name);
    if (earlier === undefined) {
      first.set(name, mention);
      return [];
    }
    return [
      descriptionRules.diagnose("DOMB2103", {
        place,
        message: `${subject} names ${subjectOf(["domains", name])} a second time`,
        fix: "Name it once, or name another one.",
        related: [{ place: places.ofValue(earlier.path), message: "first named here" }],
      }),
    ];
  });
}

/** One of two domains is the recovery domain, the other is not. */
export function checkSamePlan(
  domains: Domains,
  name: string,
  other: Mention,
  what: string,
  places: Places,
): readonly Diagnostic[] {
  if (!Object.hasOwn(domains, other.name)) return [];
  if (isRecovery(domains, name) === isRecovery(domains, other.name)) return [];
  const rescue = isRecovery(domains, name) ? name : other.name;
  const roles = keyOf(domains, rescue, "roles") as readonly unknown[];
  return [
    descriptionRules.diagnose("DOMB2105", {
      place: places.ofValue(other.path),
      message: `${what}; ${subjectOf(["domains", rescue])} is the recovery domain, which never runs beside the others`,
      fix: "Take the name out of the list.",
      related: [
        {
          place: places.ofValue(["domains", rescue, "roles", roles.indexOf(RECOVERY_ROLE)]),
          message: "it has the role here",
        },
      ],
    }),
  ];
}

function checkAfter(domains: Domains, name: string, places: Places): readonly Diagnostic[] {
  const subject = subjectOf(["domains", name]);
  const mentions = afterOf(domains, name);
  const others = mentions.filter((mention) => mention.name !== name);
  const itself = mentions.filter((mention) => mention.name === name);
  return [
    ...itself.map(({ path }) =>
      descriptionRules.diagnose("DOMB2102", {
        place: places.ofValue(path),
        message: `${subject} is to start after itself`,
        fix: "Take its own name out of the list, or name another domain.",
      }),
    ),
    ...checkMentions(domains, others, places, (list) => `${list} of ${subject}`),
    ...others.flatMap((other) => {
      const what = `${subject} is to start after ${subjectOf(["domains", other.name])}`;
      return checkSamePlan(domains, name, other, what, places);
    }),
  ];
}

/** The order that can be: names of other domains of the same plan. */
function edgesOf(domains: Domains, name: string): readonly Mention[] {
  return afterOf(domains, name).filter(
    (other) =>
      other.name !== name &&
      Object.hasOwn(domains, other.name) &&
      isRecovery(domains, name) === isRecovery(domains, other.name),
  );
}

/**
 * The shortest way along `after` from a domain to one that `isEnd`: an edge for each step, none
 * when there is no way. It has one step at least.
 */
export function wayAlongAfter(
  domains: Domains,
  from: string,
  isEnd: (name: string) => boolean,
): readonly Mention[] {
  const ways = new Map<string, readonly Mention[]>([[from, []]]);
  // A map's entries that are added on the way are visited too.
  for (const [name, way] of ways) {
    for (const edge of edgesOf(domains, name)) {
      if (isEnd(edge.name)) return [...way, edge];
      if (!ways.has(edge.name)) ways.set(edge.name, [...way, edge]);
    }
  }
  return [];
}

/** One shortest cycle for each domain that is on none of the cycles before it. */
function checkCycles(domains: Domains, places: Places): readonly Diagnostic[] {
  const told = new Set<string>();
  return Object.keys(domains).flatMap((name) => {
    if (told.has(name)) return [];
    const cycle = wayAlongAfter(domains, name, (other) => other === name);
    const [first] = cycle;
    if (first === undefined) return [];
    const names = [name, ...cycle.map((edge) => edge.name)];
    for (const one of names) told.add(one);
    return [
      descriptionRules.diagnose("DOMB2104", {
        place: places.ofValue(first.path),
        message: `domains wait for each other: ${names.join(" → ")}`,
        fix: "Take one of these names out of its list.",
        related: cycle.map((edge, step) => ({
          place: places.ofValue(edge.path),
          message: `${names[step]} waits for ${edge.name}`,
        })),
      }),
    ];
  });
}

function checkReady(domains: Domains, name: string, places: Places): readonly Diagnostic[] {
  const ready = keyOf(domains, name, "ready");
  const when = readyWhen(domains, name);
  const path = ["domains", name, "ready"];
  const subject = subjectOf(["domains", name]);
  const diagnostics: Diagnostic[] = [];
  if (when === "finished" && keyOf(domains, name, "onDeath") === "reboot") {
    diagnostics.push(
      descriptionRules.diagnose("DOMB2107", {
        place: places.ofValue([...path, "when"]),
        message: `${subject} is ready when it has finished, but then the host reboots`,
        fix: "Let it signal that it is ready, or leave out onDeath.",
        related: [
          {
            place: places.ofValue(["domains", name, "onDeath"]),
            message: "its end reboots the host",
          },
        ],
      }),
    );
  }
  if (when === "started" && isMapping(ready) && ready.within !== undefined) {
    diagnostics.push(
      descriptionRules.diagnose("DOMB2108", {
        place: places.ofValue([...path, "within"]),
        message: `${subject} has a time limit to become ready, and is so once it has started`,
        fix: "Leave out `within`, or write `when: signalled`.",
        related: [{ place: places.ofValue([...path, "when"]), message: "nothing is awaited" }],
      }),
    );
  }
  return diagnostics;
}

/** What the recovery domain can't have, and what can't be without it. */
function checkRecover(domains: Domains, places: Places): readonly Diagnostic[] {
  const names = Object.keys(domains);
  const hasRecovery = names.some((name) => isRecovery(domains, name));
  return names.flatMap((name) => {
    const subject = subjectOf(["domains", name]);
    const onFailure = keyOf(domains, name, "onFailure");
    const when = readyWhen(domains, name);
    const diagnostics: Diagnostic[] = [];
    const waits = (path: Path, message: string, fix: string) =>
      diagnostics.push(
        descriptionRules.diagnose("DOMB2109", { place: places.ofValue(path), message, fix }),
      );
    if (!isRecovery(domains, name)) {
      if (onFailure !== "recover" || hasRecovery) return [];
      return [
        descriptionRules.diagnose("DOMB2106", {
          place: places.ofValue(["domains", name, "onFailure"]),
          message: `${subject} is to be recovered from, and there is no recovery domain`,
          fix: "Give a domain the role `recovery`, or write `abort`.",
        }),
      ];
    }
    if (when === "signalled" || when === "finished") {
      waits(
        ["domains", name, "ready", "when"],
        `${subject} is the recovery domain, and is to be ready once it has ${when}`,
        "Leave out `ready`: nothing starts after it.",
      );
    }
    if (onFailure === "continue" || onFailure === "recover") {
      waits(
        ["domains", name, "onFailure"],
        `${subject} is the recovery domain, and has onFailure ${onFailure}`,
        "Leave it out: when recovery fails, the launch has failed.",
      );
    }
    return diagnostics;
  });
}
