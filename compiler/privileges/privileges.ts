// SPDX-License-Identifier: Apache-2.0
// Who may do what to whom once the launch has ended, and why: what the description's roles, rights
// and links amount to on Xen's default policy; a FLASK policy allows that or less. The lab holds it
// against what Xen really allows.

import { PAGE_SIZE } from "../../contract/limits.js";
import type { DomainDescription, Link } from "../description/description.js";
import { formatSize } from "../description/size.js";
import type { Role } from "../plan/roles.js";

/** One thing that a domain may do beyond its own memory and vCPUs. */
export interface Privilege {
  readonly domain: string;
  readonly may: string;
  readonly over: string;
  /** The key of the description that says so. */
  readonly because: string;
  /** A hypercall that Xen allows for this; absent where there is none. */
  readonly hypercall?: string;
}

type Power = Pick<Privilege, "may" | "over" | "hypercall">;

const others = "every other domain";
const see: Power = { may: "see", over: others, hypercall: "XEN_DOMCTL_getdomaininfo" };
const connect: Power = {
  may: "make event channels of",
  over: others,
  hypercall: "EVTCHNOP_alloc_unbound",
};

/** What each role gives (xen/include/xsm/dummy.h; hypervisor-interface.md). */
const powers: Readonly<Record<Role, readonly Power[]>> = {
  control: [
    {
      may: "create, change, pause, destroy, read the memory of",
      over: others,
      hypercall: "XEN_DOMCTL_pausedomain",
    },
    see,
    connect,
    { may: "ask about and change", over: "Xen", hypercall: "XEN_SYSCTL_physinfo" },
    { may: "read", over: "the launch's receipt", hypercall: "XEN_BOOT_DOMAIN_receipt" },
  ],
  xenstore: [see, connect],
  console: [{ may: "read what is typed at", over: "Xen's console", hypercall: "CONSOLEIO_read" }],
  hardware: [],
};

/** A link as one of its domains has it: an end of an event channel, its own memory, another's. */
export interface LinkEnd {
  readonly link: string;
  readonly kind: "open" | "bind" | "own" | "map";
  /** The other domain; of its own memory there is none. */
  readonly peerName?: string;
  /** Of memory. */
  readonly pages?: number;
  /** Of another's memory. */
  readonly access?: "write" | "read";
}

/** What a domain has of these links. */
export function linkEnds(links: readonly Link[], domain: string): readonly LinkEnd[] {
  return links.flatMap((link): readonly LinkEnd[] => {
    const { name } = link;
    if (link.kind === "event-channel") {
      const { first, second } = link;
      if (domain === first) return [{ link: name, kind: "open", peerName: second }];
      return domain === second ? [{ link: name, kind: "bind", peerName: first }] : [];
    }
    const pages = link.bytes / PAGE_SIZE;
    if (domain === link.owner) return [{ link: name, kind: "own", pages }];
    const access = link.writers.includes(domain) ? "write" : "read";
    return access === "write" || link.readers.includes(domain)
      ? [{ link: name, kind: "map", peerName: link.owner, pages, access }]
      : [];
  });
}

/** What a domain may do by its end of a link; nothing where the memory is its own. */
function powerOfEnd({ kind, peerName = "a domain", pages = 0, access }: LinkEnd): readonly Power[] {
  if (kind === "own") return [];
  if (kind !== "map") {
    return [{ may: "signal to", over: peerName, hypercall: "EVTCHNOP_send" }];
  }
  const may = access === "write" ? "read and write" : "read";
  const over = `${formatSize(pages * PAGE_SIZE)} of the memory of ${peerName}`;
  return [{ may, over, hypercall: "GNTTABOP_map_grant_ref" }];
}

/**
 * Every privilege of these domains, in their order; a domain without any has no row. `labels`: what
 * a FLASK policy knows them by, by name; `endsOf`: what each domain has of links.
 */
export function privilegesOfLaunch(
  domains: readonly Pick<DomainDescription, "name" | "roles" | "output" | "onDeath">[],
  labels: ReadonlyMap<string, string> = new Map(),
  endsOf: (domain: string) => readonly LinkEnd[] = () => [],
): readonly Privilege[] {
  return domains.flatMap(({ name, roles, output, onDeath }) => {
    const label = labels.get(name);
    const policy = label === undefined ? "" : `, and the policy's rules for ${label}`;
    const row = (because: string) => (power: Power) => {
      // What is no hypercall, no policy is asked about.
      const rules = power.hypercall === undefined ? "" : policy;
      return { domain: name, ...power, because: `${because}${rules}` };
    };
    return [
      ...roles.flatMap((role) => powers[role].map(row(`role ${role}`))),
      ...(output === "none"
        ? []
        : [
            row(`output ${output}`)({
              may: "write to",
              over: "Xen's log",
              hypercall: "CONSOLEIO_write",
            }),
          ]),
      ...(onDeath === "leave"
        ? []
        : [row(`onDeath ${onDeath}`)({ may: "reboot, by its end,", over: "the host" })]),
      ...endsOf(name).flatMap((end) => powerOfEnd(end).map(row(`link ${end.link}`))),
    ];
  });
}
