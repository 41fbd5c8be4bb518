// SPDX-License-Identifier: Apache-2.0
// Who may do what to whom once the launch has ended, and why: what the description's roles and
// rights amount to on Xen's default policy; a FLASK policy allows that or less. The lab holds it
// against what Xen really allows.

import type { DomainDescription } from "../description/description.js";
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

/**
 * Every privilege of these domains, in their order; a domain without any has no row. `labels`: what
 * a FLASK policy knows them by, by name.
 */
export function privilegesOfLaunch(
  domains: readonly Pick<DomainDescription, "name" | "roles" | "output" | "onDeath">[],
  labels: ReadonlyMap<string, string> = new Map(),
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
    ];
  });
}
