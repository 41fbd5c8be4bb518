// SPDX-License-Identifier: Apache-2.0
// The order between domains as a graph: which one waits for which. Domains that wait for the same
// ones, and that the same ones wait for, are one node when they are many.

import { alike } from "./alike.js";
import type { CriticalPath } from "./critical-path.js";
import type { PlanFacts } from "./plan-facts.js";
import type { Timeline } from "./timeline.js";

export interface OrderNode {
  /** Indexes of its domains, at least one; the same became of all. */
  readonly domains: readonly number[];
  /** Whether the critical path leads through its readiness or its steps after it. */
  readonly critical: boolean;
}

/** The domains of node `to` start when those of `from` are ready. */
export interface OrderEdge {
  readonly from: number;
  readonly to: number;
  readonly critical: boolean;
}

export interface OrderGraph {
  readonly nodes: readonly OrderNode[];
  readonly edges: readonly OrderEdge[];
  /** Indexes of domains that wait for none, and that none waits for. */
  readonly unordered: readonly number[];
}

/** As many domains as this, all alike, are one node. */
const MANY = 4;

export function orderOf(facts: PlanFacts, timeline: Timeline, path: CriticalPath): OrderGraph {
  const before = facts.domains.map((_, index) => awaitedBy(facts, index));
  const after = facts.domains.map((_, index) =>
    [...before.keys()].filter((other) => before[other]?.includes(index)),
  );
  const isOrdered = (index: number): boolean =>
    (before[index]?.length ?? 0) + (after[index]?.length ?? 0) > 0;
  const ordered = [...before.keys()].filter(isOrdered);
  const criticalPairs = pairsOn(facts, timeline, path);
  const isOnPath = (index: number): boolean =>
    [...criticalPairs].some((pair) => pair.split(">").includes(String(index)));
  const endOf = (index: number): string =>
    JSON.stringify([timeline.domains[index]?.state, timeline.domains[index]?.failure]);

  const groups = alike(ordered, (index) => {
    const { readiness, readyWithin, onFailure } = facts.domains[index] ?? {};
    const rest = [readiness, readyWithin, onFailure, endOf(index), isOnPath(index)];
    return JSON.stringify([before[index], after[index], ...rest]);
  }).map((group) => group.map((at) => ordered[at] ?? 0));
  const nodes = groups
    .flatMap((group) => (group.length < MANY ? group.map((index) => [index]) : [group]))
    .map((domains) => {
      const [first = 0] = domains;
      return { domains, critical: isOnPath(first) };
    });
  const nodeOf = new Map(nodes.flatMap(({ domains }, at) => domains.map((index) => [index, at])));
  const edges = new Map<string, OrderEdge>();
  for (const index of ordered) {
    for (const awaited of before[index] ?? []) {
      const [from = 0, to = 0] = [nodeOf.get(awaited), nodeOf.get(index)];
      const key = `${from}>${to}`;
      const critical =
        criticalPairs.has(`${awaited}>${index}`) || (edges.get(key)?.critical ?? false);
      edges.set(key, { from, to, critical });
    }
  }
  const unordered = [...before.keys()].filter((index) => !isOrdered(index));
  return { nodes, edges: [...edges.values()], unordered };
}

/** Indexes of the domains that one's steps wait for, ascending. */
function awaitedBy({ steps }: PlanFacts, domain: number): readonly number[] {
  const guards = steps.flatMap((step) => (step.domain === domain ? step.guards : []));
  return [...new Set(guards)].sort((a, b) => a - b);
}

/** Pairs `awaited>waiting` of domains' indexes, where the critical path goes from one to the other. */
function pairsOn(facts: PlanFacts, { activities }: Timeline, { links }: CriticalPath): Set<string> {
  const pairs = new Set<string>();
  let awaited: number | undefined;
  for (const link of links) {
    if (link.kind === "readiness") awaited = link.domain;
    const { step = 0, domain } = link.kind === "activity" ? (activities[link.activity] ?? {}) : {};
    const { guards = [] } = facts.steps[step - 1] ?? {};
    if (awaited === undefined || domain === undefined || !guards.includes(awaited)) continue;
    pairs.add(`${awaited}>${domain}`);
  }
  return pairs;
}
