// SPDX-License-Identifier: Apache-2.0
// Each domain's trusted computing base: whose code can break its isolation, or part of it, and how
// much that is.

import type { Explanation } from "../../compiler/explain/explanation.js";
import type { Link } from "./links.js";

/** Code that runs on the host beside the domains' own; null where it is not known here. */
export interface HostCode {
  /** As the file is that the boot loader starts. */
  readonly xenBytes: number | null;
  /** What of Xen is domb's own. */
  readonly patches: { readonly count: number; readonly lines: number };
  readonly bootDomainBytes: number | null;
}

export interface TrustedParty {
  readonly who: string;
  /**
   * xen, boot-domain (gone after its exit), own: the domain's kernel or ramdisk, controller: it may
   * do anything to the domain, sharer: it may change memory that the domain reads, host: it may end
   * the host and so the domain.
   */
  readonly part: "xen" | "boot-domain" | "kernel" | "ramdisk" | "controller" | "sharer" | "host";
  /** Why it is trusted, in words. */
  readonly why: string;
  /** Bytes of its code; null where they are not known. */
  readonly bytes: number | null;
}

export interface TrustedBase {
  readonly domain: string;
  readonly parties: readonly TrustedParty[];
  /** Of all parties whose bytes are known; the boot domain is in it, a host's ender is not. */
  readonly bytes: number;
}

/** The trusted base of each domain of a plan, in its order. */
export function trustedBasesOf(
  { domains, materials }: Explanation,
  links: readonly Link[],
  { xenBytes, patches, bootDomainBytes }: HostCode,
): readonly TrustedBase[] {
  const bytesOf = (name: string, kind: "kernel" | "ramdisk"): number =>
    materials
      .filter((material) => material.kind === kind && material.usedBy.includes(name))
      .reduce((sum, { bytes }) => sum + bytes, 0);
  const softwareOf = (name: string): number => bytesOf(name, "kernel") + bytesOf(name, "ramdisk");

  return domains.map(({ name }): TrustedBase => {
    const others = domains.filter((other) => other.name !== name);
    const controllers = others
      .filter(({ roles }) => roles.includes("control"))
      .map((other) => party(other.name, "controller", "role control"));
    const known = new Set(controllers.map(({ who }) => who));
    const sharers = links
      .flatMap((link) => (link.kind === "shared-memory" ? [link] : []))
      .filter(({ writers, readers }) => [...writers, ...readers].includes(name))
      .flatMap(({ owner, writers }) =>
        writers
          .filter((writer) => writer !== name && !known.has(writer))
          .map((writer) => {
            const why =
              writer === owner ? "owns memory that it maps" : "writes memory that both map";
            return party(writer, "sharer", why);
          }),
      )
      .filter(({ who }, index, all) => all.findIndex((one) => one.who === who) === index);
    const trusted = new Set([...known, ...sharers.map(({ who }) => who)]);
    const enders = others
      .filter((other) => other.onDeath === "reboot" && !trusted.has(other.name))
      .map((other) => party(other.name, "host", "the host reboots when it ends"));
    const ramdisk = bytesOf(name, "ramdisk");
    const parties: TrustedParty[] = [
      {
        ...{ who: "Xen", part: "xen", bytes: xenBytes },
        why: `runs always; of it ${patches.count} patches of domb's, ${patches.lines} lines`,
      },
      {
        ...{ who: "boot domain", part: "boot-domain", bytes: bootDomainBytes },
        why: "made it; gone since its exit",
      },
      { who: `${name}'s kernel`, part: "kernel", why: "its own", bytes: bytesOf(name, "kernel") },
      ...(ramdisk === 0
        ? []
        : [{ who: `${name}'s ramdisk`, part: "ramdisk", why: "its own", bytes: ramdisk } as const]),
      ...[...controllers, ...sharers, ...enders],
    ];
    const bytes = parties
      .filter(({ part }) => part !== "host")
      .reduce((sum, one) => sum + (one.bytes ?? 0), 0);
    return { domain: name, parties, bytes };
  });

  function party(who: string, part: TrustedParty["part"], why: string): TrustedParty {
    return { who, part, why, bytes: softwareOf(who) };
  }
}
