// SPDX-License-Identifier: Apache-2.0
// Event channels and grants that the boot domain makes between domains: boot_domain_channel() and
// boot_domain_grant(), xen/common/boot_domain.c.

import { BOOT_DOMID } from "../contract/limits.js";
import * as abi from "../contract/xen-abi.js";
import type { ModelDomain } from "./host.js";

/** Entries of version 1 in a frame of a grant table. */
const ENTRIES_PER_FRAME = 512;

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

/** Highest port of the boot domain itself, as Xen creates it. */
const MOST_BOOT_PORTS = 1023;

export class ModelLinks {
  /** The boot domain's own ports, each with the domain that signals by it. */
  readonly signals = new Map<number, number>();
  readonly #domains: ReadonlyMap<number, ModelDomain>;

  constructor(domains: ReadonlyMap<number, ModelDomain>) {
    this.#domains = domains;
  }

  openChannel({ domid, remote, port }: ChannelArgument): number {
    const peer = this.#unstarted(remote);
    if (typeof peer === "number") return peer;
    if (domid === BOOT_DOMID) {
      if (port === 0 || port > MOST_BOOT_PORTS) return -abi.XEN_EINVAL;
      if (this.signals.has(port)) return -abi.XEN_EEXIST;
      this.signals.set(port, remote);
      return 0;
    }
    const domain = this.#unstarted(domid);
    if (typeof domain === "number") return domain;
    if (port === 0 || port > domain.maxEventChannelPort) return -abi.XEN_EINVAL;
    if (domain.ports.has(port)) return -abi.XEN_EEXIST;
    domain.ports.set(port, remote);
    return 0;
  }

  grant({ domid, remote, reference, gfn, count, readOnly }: GrantArgument): number {
    const domain = this.#unstarted(domid);
    if (typeof domain === "number") return domain;
    const peer = this.#unstarted(remote);
    if (typeof peer === "number") return peer;
    if (reference + count > domain.grantFrames * ENTRIES_PER_FRAME) return -abi.XEN_ERANGE;
    for (let page = 0; page < count; page++) {
      if (domain.grants.has(reference + page)) return -abi.XEN_EEXIST;
      domain.grants.set(reference + page, { gfn: gfn + page, remote, readOnly });
    }
    return 0;
  }

  #unstarted(domid: number): ModelDomain | number {
    const domain = this.#domains.get(domid);
    if (domain === undefined) return -abi.XEN_ESRCH;
    return domain.started ? -abi.XEN_EPERM : domain;
  }
}
