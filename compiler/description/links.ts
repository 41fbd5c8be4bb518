// SPDX-License-Identifier: Apache-2.0
// Rules on links and the domains that they join. They look at the value as it was read, right or
// wrong, as between-domains.ts does.

import { MAX_DOMAINS } from "../../contract/limits.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { isMapping } from "./judges.js";
import { DOMAIN_NAME_PATTERN, MAX_LINKS_OF_DOMAIN } from "./limits.js";
import { linkNameFault } from "./link-judges.js";
import {
  checkMentions,
  checkSamePlan,
  type Domains,
  type Mention,
  mentionsIn,
  readyWhen,
  wayAlongAfter,
} from "./order.js";
import { type Path, type Places, subjectOf } from "./places.js";
import { descriptionRules } from "./rules.js";

/** A link as far as it can be read. */
interface ReadLink {
  readonly path: Path;
  /** What messages call it. */
  readonly subject: string;
  readonly isMemory: boolean;
  /** Whose event channel or memory it is. */
  readonly owner: Mention | undefined;
  readonly parties: readonly Mention[];
}

/** Checks all links of `domains`. */
export function checkLinks(
  links: unknown,
  domains: Domains,
  places: Places,
): readonly Diagnostic[] {
  if (!Array.isArray(links) || Object.keys(domains).length > MAX_DOMAINS) return [];
  const read = links.flatMap((link: unknown, index) =>
    isMapping(link) ? [readLink(link, ["links", index])] : [],
  );
  return [
    ...checkNames(links, places),
    ...checkCounts(read, places),
    ...read.flatMap((link) => [
      ...checkMentions(domains, link.parties, places, (list) => `${list} of ${link.subject}`),
      ...checkParties(link, places),
      ...checkPlans(link, domains, places),
      ...checkFinished(link, domains, places),
    ]),
  ];
}

function readLink(link: Readonly<Record<string, unknown>>, path: Path): ReadLink {
  const { name } = link;
  const listed = (key: string) => mentionsIn(link[key], [...path, key]);
  const isMemory = link.kind === "shared-memory";
  const parties = isMemory ? [...listed("writers"), ...listed("readers")] : listed("between");
  const owner = isMemory ? listed("writers")[0] : parties[0];
  const named = typeof name === "string" && DOMAIN_NAME_PATTERN.test(name);
  return { path, subject: named ? `link ${name}` : subjectOf(path), isMemory, owner, parties };
}

function checkNames(links: readonly unknown[], places: Places): readonly Diagnostic[] {
  const owners = new Map<unknown, Path>();
  return links.flatMap((link, index) => {
    const name = isMapping(link) ? link.name : undefined;
    if (linkNameFault(name) !== undefined) return [];
    const path = ["links", index, "name"];
    const owner = owners.get(name);
    if (owner === undefined) {
      owners.set(name, path);
      return [];
    }
    return [
      descriptionRules.diagnose("DOMB2201", {
        place: places.ofValue(path),
        message: `two links have the name ${name}`,
        fix: "Rename one of them.",
        related: [{ place: places.ofValue(owner), message: "first given here" }],
      }),
    ];
  });
}

/** Links of each domain, of which the first beyond the limit is told. */
function checkCounts(links: readonly ReadLink[], places: Places): readonly Diagnostic[] {
  const counts = new Map<string, number>();
  const first = new Map<string, Mention>();
  for (const { parties } of links) {
    for (const name of new Set(parties.map((party) => party.name))) {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      const mention = parties.find((party) => party.name === name);
      if (count === MAX_LINKS_OF_DOMAIN + 1 && mention !== undefined) first.set(name, mention);
    }
  }
  return [...first].map(([name, { path }]) =>
    descriptionRules.diagnose("DOMB2203", {
      place: places.ofValue(path),
      message: `${subjectOf(["domains", name])} has ${counts.get(name)} links; wanted: at most ${MAX_LINKS_OF_DOMAIN}, and this is the first above`,
      fix: "Carry several streams over one shared memory.",
    }),
  );
}

/** A writer alone shares its memory with nobody; how many a channel joins, its judge says. */
function checkParties(
  { isMemory, parties, path, subject, owner }: ReadLink,
  places: Places,
): readonly Diagnostic[] {
  if (!isMemory || owner === undefined || parties.length > 1) return [];
  return [
    descriptionRules.diagnose("DOMB2202", {
      place: places.ofValue([...path, "writers"]),
      message: `${subject} is memory of ${subjectOf(["domains", owner.name])} alone; wanted: another writer or a reader`,
      fix: "Add `readers` with the domains that it is shared with.",
    }),
  ];
}

function checkPlans(
  { owner, parties, subject }: ReadLink,
  domains: Domains,
  places: Places,
): readonly Diagnostic[] {
  if (owner === undefined || !Object.hasOwn(domains, owner.name)) return [];
  const own = subjectOf(["domains", owner.name]);
  return parties.flatMap((party) => {
    const what = `${subject} joins ${own} and ${subjectOf(["domains", party.name])}`;
    return checkSamePlan(domains, owner.name, party, what, places);
  });
}

/** What was its owner's is gone before another party starts. */
function checkFinished(
  { owner, parties, subject }: ReadLink,
  domains: Domains,
  places: Places,
): readonly Diagnostic[] {
  if (owner === undefined || readyWhen(domains, owner.name) !== "finished") return [];
  return parties.flatMap((party) => {
    if (party.name === owner.name || !Object.hasOwn(domains, party.name)) return [];
    const way = wayAlongAfter(domains, party.name, (name) => name === owner.name);
    if (way.length === 0) return [];
    const own = subjectOf(["domains", owner.name]);
    return [
      descriptionRules.diagnose("DOMB2204", {
        place: places.ofValue(party.path),
        message: `${subject} is ${own}'s, which has finished before ${subjectOf(["domains", party.name])} starts`,
        fix: `Let ${own} signal that it is ready, or let another party come first in the link.`,
        related: [
          {
            place: places.ofValue(["domains", owner.name, "ready", "when"]),
            message: "it is ready when it has finished",
          },
          ...way.map((edge, step) => ({
            place: places.ofValue(edge.path),
            message: `${way[step - 1]?.name ?? party.name} starts after ${edge.name}`,
          })),
        ],
      }),
    ];
  });
}
