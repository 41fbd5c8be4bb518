// SPDX-License-Identifier: Apache-2.0
// The critical path: of all chains of activities and readiness, each of which could only begin when
// the one before it was over, the longest. To end sooner, a launch must shorten a link of it.

import type { PlanFacts } from "./plan-facts.js";
import { newsFor, type Span, type Timeline } from "./timeline.js";

/** A link of the path: an activity of the boot domain, or a domain becoming ready. */
export type Link = Span &
  (
    | { readonly kind: "activity" /** Its index. */; readonly activity: number }
    | { readonly kind: "readiness" /** Its domain's index. */; readonly domain: number }
  );

export interface CriticalPath {
  /** In the order of time; none overlaps another. */
  readonly links: readonly Link[];
  /** How long they take together; the rest of the launch lies between them. */
  readonly lengthNs: number;
}

/** A chain as long as it can be up to its last link. */
interface Chain {
  readonly link: Link;
  readonly lengthNs: number;
  readonly before: Chain | undefined;
}

/** The longest chain that ends with the last activity; of equal ones, that of the later news. */
export function criticalPathOf(facts: PlanFacts, timeline: Timeline): CriticalPath {
  const { activities, domains } = timeline;
  /** Chains that end with a domain's readiness, by its index. */
  const ready = new Map<number, Chain>();
  let last: Chain | undefined;
  for (const [index, activity] of activities.entries()) {
    const guards = newsFor(facts, activity, [...ready.keys()]);
    const chains = guards.flatMap((domain) => {
      const chain = ready.get(domain);
      return chain !== undefined && chain.link.endedNs <= activity.beganNs ? [chain] : [];
    });
    const before = longest(last === undefined ? chains : [last, ...chains]);
    const { beganNs, endedNs, domain } = activity;
    last = extended(before, { kind: "activity", activity: index, beganNs, endedNs });
    const readiness = domain === undefined ? undefined : domains[domain]?.readiness;
    if (domain === undefined || readiness == null || activity.kind !== "start") continue;
    // The domain may run a while before the step that starts it is over: that is the step's.
    if (readiness.endedNs <= endedNs) continue;
    const link = {
      kind: "readiness",
      domain,
      beganNs: endedNs,
      endedNs: readiness.endedNs,
    } as const;
    ready.set(domain, extended(last, link));
  }
  const links: Link[] = [];
  for (let chain = last; chain !== undefined; chain = chain.before) links.unshift(chain.link);
  return { links, lengthNs: last?.lengthNs ?? 0 };
}

function longest(chains: readonly Chain[]): Chain | undefined {
  return chains.toSorted((a, b) => b.lengthNs - a.lengthNs || b.link.endedNs - a.link.endedNs)[0];
}

function extended(before: Chain | undefined, link: Link): Chain {
  const lengthNs = (before?.lengthNs ?? 0) + link.endedNs - link.beganNs;
  return { link, lengthNs, before };
}
