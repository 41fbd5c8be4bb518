// SPDX-License-Identifier: Apache-2.0
// The critical path as it is told: what is on it, and its links in few words.

import type { Run } from "./report.js";
import type { Activity, Span } from "./timeline.js";

/** Indexes of the activities and domains that the critical path has. */
export function criticalOf({ criticalPath }: Run): {
  readonly activities: ReadonlySet<number>;
  readonly readiness: ReadonlySet<number>;
} {
  const { links } = criticalPath;
  return {
    activities: new Set(links.flatMap((link) => ("activity" in link ? [link.activity] : []))),
    readiness: new Set(links.flatMap((link) => ("domain" in link ? [link.domain] : []))),
  };
}

/** Several links of a path that are told as one. */
export interface PathPart extends Span {
  /** in-vain: a domain did not become ready. */
  readonly what: Activity["kind"] | "readiness" | "in-vain";
  /** Names of its domains. */
  readonly domains: readonly string[];
  readonly spentNs: number;
}

/** The critical path in few words: links of one kind that follow each other are one. */
export function pathInShort({ criticalPath, timeline }: Run): readonly PathPart[] {
  const parts: PathPart[] = [];
  for (const link of criticalPath.links) {
    const activity = link.kind === "activity" ? timeline.activities[link.activity] : undefined;
    const index = link.kind === "readiness" ? link.domain : activity?.domain;
    const life = index === undefined ? undefined : timeline.domains[index];
    const what = activity?.kind ?? (life?.readyNs == null ? "in-vain" : "readiness");
    const name = life === undefined ? [] : [life.name];
    const spentNs = link.endedNs - link.beganNs;
    if (spentNs === 0) continue;
    const last = parts.at(-1);
    if (last?.what !== what) {
      const { beganNs, endedNs } = link;
      parts.push({ what, domains: name, spentNs, beganNs, endedNs });
      continue;
    }
    parts[parts.length - 1] = {
      ...last,
      domains: [...last.domains, ...name],
      spentNs: last.spentNs + spentNs,
      endedNs: link.endedNs,
    };
  }
  return parts;
}
