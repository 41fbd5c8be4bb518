// SPDX-License-Identifier: Apache-2.0
// Event channels and grants that the boot domain makes between domains: boot_domain_channel() and
// boot_domain_grant(), xen/common/boot_domain.c. Ports and grant tables grow with what they hold.

import { BOOT_DOMID } from "../contract/limits.js";
import * as abi from "../contract/xen-abi.js";
import { ENTRIES_PER_FRAME, grantTablePages, PORTS_PER_PAGE } from "./domain-tables.js";

/** EVTCHN_2L_NR_CHANNELS of 64-bit domains. */
const MOST_PORTS = 4096;
/** Highest port of the boot domain itself, as Xen creates it. */
const MAX_BOOT_PORT = 1023;
/** JOINABLE_DOMAINS: of the domains that the boot domain creates, the first ones. */
const JOINABLE_DOMAINS = 128;

/** A page that a domain lets another one map. */
export interface ModelGrant {
  readonly gfn: number;
  readonly remote: number;
  readonly readOnly: boolean;
}

export interface ChannelArgument {
  readonly domid: number;
  readonly remote: number;
  readonly port: number;
}

export interface GrantArgument {
  readonly domid: number;
  readonly remote: number;
  readonly reference: number;
  readonly gfn: number;
  readonly count: number;
  readonly readOnly: boolean;
}

/** Ports of a domain that were opened for others, each with the other's domid. */
export interface ModelPorts {
  readonly opened: Map<number, number>;
  readonly max: number;
  /** Pages that hold them. */
  pages: number;
}

/** What of a domain its links change. */
export interface LinkedDomain {
  /** How many the boot domain had created before it. */
  readonly index: number;
  started: boolean;
  readonly ports: ModelPorts;
  readonly maxGrantFrames: number;
  /** Frames that its grant table has now. */
  grantFrames: number;
  readonly grants: Map<number, ModelGrant>;
  /** Pages that Xen itself took for it. */
  structurePages: number;
}

/** What of a host links change. */
export interface LinkingHost {
  readonly domains: ReadonlyMap<number, LinkedDomain>;
  /** Pages that Xen took for the boot domain itself. */
  structurePages: number;
  /** Takes pages that are free; false if there are not so many. */
  take(pages: number): boolean;
}

/** Without any open; `max`: the highest that there can be. */
export function noPorts(max: number): ModelPorts {
  return { opened: new Map(), max, pages: 1 };
}

export class ModelLinks {
  /** The boot domain's own, by which domains signal. */
  readonly signals = noPorts(MAX_BOOT_PORT);
  readonly #host: LinkingHost;

  constructor(host: LinkingHost) {
    this.#host = host;
  }

  /** The boot domain's ports that are open for a domid. */
  signalPortsOf(domid: number): ReadonlySet<number> {
    const own = [...this.signals.opened].filter(([, remote]) => remote === domid);
    return new Set(own.map(([port]) => port));
  }

  openChannel({ domid, remote, port }: ChannelArgument): number {
    if (port === 0) return -abi.XEN_EINVAL;
    if (domid === BOOT_DOMID || domid === abi.DOMID_SELF) {
      const peer = this.#unstarted(remote);
      if (typeof peer === "number") return peer;
      return this.#open(this.signals, port, remote, this.#host);
    }
    const domain = this.#joined(domid, remote);
    if (typeof domain === "number") return domain;
    return this.#open(domain.ports, port, remote, domain);
  }

  /** evtchn_allocate_port(), xen/common/event_channel.c; pages are the owner's. */
  #open(
    ports: ModelPorts,
    port: number,
    remote: number,
    owner: { structurePages: number },
  ): number {
    if (port > ports.max || port >= MOST_PORTS) return -abi.XEN_ENOSPC;
    if (ports.opened.has(port)) return -abi.XEN_EEXIST;
    // What it got before the memory ended it keeps.
    for (; port >= ports.pages * PORTS_PER_PAGE; ports.pages++) {
      if (!this.#host.take(1)) return -abi.XEN_ENOMEM;
      owner.structurePages++;
    }
    ports.opened.set(port, remote);
    return 0;
  }

  /** gnttab_seed(), xen/common/grant_table.c. */
  grant({ domid, remote, reference, gfn, count, readOnly }: GrantArgument): number {
    const domain = this.#joined(domid, remote);
    if (typeof domain === "number") return domain;
    const frames = Math.ceil((reference + count) / ENTRIES_PER_FRAME);
    if (frames > domain.maxGrantFrames || gfn > 0xffffffff - count) return -abi.XEN_ERANGE;
    const pages = grantTablePages(frames) - grantTablePages(domain.grantFrames);
    if (pages > 0) {
      if (!this.#host.take(pages)) return -abi.XEN_ENOMEM;
      domain.structurePages += pages;
      domain.grantFrames = frames;
    }
    for (let page = 0; page < count; page++) {
      domain.grants.set(reference + page, { gfn: gfn + page, remote, readOnly });
    }
    return 0;
  }

  /** lock_and_join(): the first one, or an errno. */
  #joined(domid: number, remote: number): LinkedDomain | number {
    const domain = this.#unstarted(domid);
    if (typeof domain === "number") return domain;
    const peer = this.#unstarted(remote);
    if (typeof peer === "number") return peer;
    return Math.max(domain.index, peer.index) < JOINABLE_DOMAINS ? domain : -abi.XEN_ENOSPC;
  }

  #unstarted(domid: number): LinkedDomain | number {
    const domain = this.#host.domains.get(domid);
    if (domain === undefined) return -abi.XEN_ESRCH;
    return domain.started ? -abi.XEN_EPERM : domain;
  }
}
