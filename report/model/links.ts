// SPDX-License-Identifier: Apache-2.0
// What a plan joins domains by: event channels, and memory that one owns and others map.

import type { PlanOperation } from "../../compiler/plan/plan.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import type { PlanFacts } from "./plan-facts.js";

/** Both may notify the other. */
export interface ChannelLink {
  readonly kind: "event-channel";
  readonly owner: string;
  readonly peer: string;
  /** The owner's port. */
  readonly port: number;
}

/** Memory of the owner that others map; names of domains. */
export interface MemoryLink {
  readonly kind: "shared-memory";
  readonly owner: string;
  readonly bytes: number;
  /** The owner's first grant reference for it. */
  readonly reference: number;
  /** Who may write it, the owner first. */
  readonly writers: readonly string[];
  /** Who may only read it. */
  readonly readers: readonly string[];
}

export type Link = ChannelLink | MemoryLink;

type Grant = Extract<PlanOperation, { kind: "grant" }>;

/** Every link of a plan, by its owner. */
export function linksOf({ domains, steps }: PlanFacts): readonly Link[] {
  const nameOf = (domain: number): string => domains[domain]?.name ?? "";
  return domains.flatMap(({ name: owner }, domain) => {
    const operations = steps.flatMap((step) => (step.domain === domain ? step.operations : []));
    const channels = operations.flatMap((one): ChannelLink[] =>
      one.kind === "openChannel"
        ? [{ kind: "event-channel", owner, peer: nameOf(one.peer), port: one.port }]
        : [],
    );
    const grants = new Map<number, Grant[]>();
    for (const one of operations) {
      if (one.kind === "grant") grants.set(one.frame, [...(grants.get(one.frame) ?? []), one]);
    }
    const memories = [...grants.values()].map((all): MemoryLink => {
      const others = all.filter(({ peer }) => peer !== domain);
      const may = (readOnly: number) =>
        others.filter((one) => one.readOnly === readOnly).map(({ peer }) => nameOf(peer));
      return {
        ...{ kind: "shared-memory", owner },
        bytes: Math.max(0, ...all.map(({ count }) => count)) * PAGE_SIZE,
        reference: Math.min(...all.map(({ reference }) => reference)),
        ...{ writers: [owner, ...may(0)], readers: may(1) },
      };
    });
    return [...channels, ...memories];
  });
}
