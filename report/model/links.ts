// SPDX-License-Identifier: Apache-2.0
// What a plan joins domains by: event channels, and memory that one owns and others map.

import type { ExplainedDomain, ExplainedLink } from "../../compiler/explain/explanation.js";
import type { PlanOperation } from "../../compiler/plan/plan.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import type { PlanFacts } from "./plan-facts.js";

/** Both may notify the other. */
export interface ChannelLink {
  readonly kind: "event-channel";
  /** As the owner is told it; null: it is told none. */
  readonly name: string | null;
  readonly owner: string;
  readonly peer: string;
  /** The owner's port. */
  readonly port: number;
}

/** Memory of the owner that others map; names of domains. */
export interface MemoryLink {
  readonly kind: "shared-memory";
  readonly name: string | null;
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

/** Every link of a plan, by its owner; `told`: what the domains are told of theirs, in its order. */
export function linksOf(
  { domains, steps }: PlanFacts,
  told: readonly Pick<ExplainedDomain, "links">[],
): readonly Link[] {
  const nameOf = (domain: number): string => domains[domain]?.name ?? "";
  return domains.flatMap(({ name: owner }, domain) => {
    const own = told[domain]?.links ?? [];
    const operations = steps.flatMap((step) => (step.domain === domain ? step.operations : []));
    const channels = operations.flatMap((one): ChannelLink[] =>
      one.kind === "openChannel"
        ? [
            {
              ...{ kind: "event-channel", name: nameIn(own, "port", one.port), owner },
              ...{ peer: nameOf(one.peer), port: one.port },
            },
          ]
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
      const reference = Math.min(...all.map((one) => one.reference));
      return {
        ...{ kind: "shared-memory", name: nameIn(own, "reference", reference), owner },
        bytes: Math.max(0, ...all.map(({ count }) => count)) * PAGE_SIZE,
        reference,
        ...{ writers: [owner, ...may(0)], readers: may(1) },
      };
    });
    return [...channels, ...memories];
  });
}

/** The name of the link that a domain owns with this port or grant reference. */
function nameIn(
  own: readonly ExplainedLink[],
  key: "port" | "reference",
  number: number,
): string | null {
  const found = own.find(
    (link) =>
      (key === "port" && link.kind === "open" && link.port === number) ||
      (key === "reference" && link.kind === "own" && link.reference === number),
  );
  return found?.link ?? null;
}
