// SPDX-License-Identifier: Apache-2.0
// Where memory goes: the host's, by whom it is taken, and each guest's, by what lies where.

import type { Explanation } from "../../compiler/explain/explanation.js";
import type { GuestRegion } from "../../compiler/explain/guest-memory.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import { alike } from "./alike.js";

/** Part of the host's memory. */
export interface HostShare {
  readonly what: "xen" | "boot-domain" | "domain";
  /** Names of the domains that each take this much; empty for Xen and the boot domain. */
  readonly domains: readonly string[];
  /** Bytes of all of them together. */
  readonly bytes: number;
}

/** One map for all domains that have the same. */
export interface GuestMap {
  readonly domains: readonly string[];
  /** Memory that each may have. */
  readonly bytes: number;
  /** By ascending guest physical address. */
  readonly regions: readonly GuestRegion[];
}

export interface MemoryMaps {
  readonly host: {
    /** What a host must have at least. */
    readonly totalBytes: number;
    readonly shares: readonly HostShare[];
  };
  readonly guests: readonly GuestMap[];
}

export function memoryMapsOf({ domains, totals }: Explanation): MemoryMaps {
  const { xenPages, bootDomainPages, domains: demands, totalBytes } = totals.demand;
  const shares = alike(demands, ({ pages }) => String(pages)).map((group): HostShare => {
    const members = group.flatMap((index) => demands[index] ?? []);
    const pages = members.reduce((sum, member) => sum + member.pages, 0);
    return { what: "domain", domains: members.map(({ name }) => name), bytes: pages * PAGE_SIZE };
  });
  return {
    host: {
      totalBytes,
      shares: [
        { what: "xen", domains: [], bytes: xenPages * PAGE_SIZE },
        { what: "boot-domain", domains: [], bytes: bootDomainPages * PAGE_SIZE },
        ...shares,
      ],
    },
    guests: alike(domains, ({ memory, memoryBytes }) => JSON.stringify([memoryBytes, memory])).map(
      (group): GuestMap => {
        const members = group.flatMap((index) => domains[index] ?? []);
        const [first] = members;
        return {
          domains: members.map(({ name }) => name),
          bytes: first?.memoryBytes ?? 0,
          regions: first?.memory ?? [],
        };
      },
    ),
  };
}
