// SPDX-License-Identifier: Apache-2.0
// A host of Xen 4.17 as far as a launch changes it: domains, their memory, the budget of pages. Each
// operation names the function in Xen that it imitates. Answers are 0 or more, or a negative errno.

import { MAX_DOMID, PAGE_SIZE } from "../contract/limits.js";
import * as abi from "../contract/xen-abi.js";
import type { DomainCreation, HostArchitecture } from "./architecture.js";
import { CLEAR_PAGE_NS, COPY_PAGE_NS, POPULATE_PAGE_NS } from "./costs.js";
import { creationError, PRIVILEGES } from "./create-domain.js";
import { type Behaviour, type DomainLife, type News, nextNews, takeNews } from "./domain-life.js";
import { DEFAULT_GRANT_LIMITS, type GrantLimits } from "./domain-tables.js";
import type { Flask } from "./flask.js";
import { GuestMemory } from "./guest-memory.js";
import type { GuestTables } from "./guest-tables.js";
import { type LinkedDomain, ModelLinks, noPorts } from "./links.js";
import { ModelProcessors, type PoolArgument } from "./processors.js";

/** CONFIG_CTLDOM_MAX_ORDER's default, xen/common/memory.c: 1 GiB. */
const CONTROL_DOMAIN_MAX_ORDER = 18;

/** A domain that the boot domain has created. */
export interface ModelDomain extends LinkedDomain {
  readonly domid: number;
  readonly createFlags: number;
  readonly maxVcpus: number;
  readonly memory: GuestMemory;
  readonly tables: GuestTables;
  vcpus: number;
  pagingPoolPages: number;
  maxPages: number;
  /** Pages taken for its memory; more than memory.pages if a frame was populated twice. */
  totalPages: number;
  context: Uint8Array | undefined;
  readonly cpuPool: number;
}

/** Physical CPUs of a host of which nothing else is said. */
const DEFAULT_CPUS = 8;

export interface HostOptions {
  readonly architecture: HostArchitecture;
  /** What there is of FLASK, if it enforces a policy. */
  readonly flask?: Flask | undefined;
  /** Physical CPUs; default: 8. */
  readonly cpus?: number | undefined;
  /** What a domain's grant tables may have; default: what Xen allows unless it is told otherwise. */
  readonly grantLimits?: GrantLimits | undefined;
  /** What each domain does once it runs; default: it runs on, silent. */
  readonly behaviourOf?: ((domid: number) => Behaviour | undefined) | undefined;
}

export class ModelHost {
  readonly domains = new Map<number, ModelDomain>();
  /** Virtual time in nanoseconds. */
  now = 0;

  /** Privileges that domains have been given, those that nobody can have, those kept for a second time. */
  given = 0;
  dropped = 0;
  reserved = 0;
  /** Pages that no domain gets. */
  reservedPages = 0;
  /** Pages that Xen took for the boot domain itself since the launch began. */
  structurePages = 0;
  readonly links: ModelLinks;
  readonly processors: ModelProcessors;
  /** All that ran, in the order of their starts. */
  readonly lives: DomainLife[] = [];
  #created = 0;

  readonly architecture: HostArchitecture;
  readonly flask: Flask | undefined;
  readonly #behaviourOf: (domid: number) => Behaviour | undefined;
  readonly #grantLimits: GrantLimits;

  constructor(
    public freePages: number,
    {
      architecture,
      flask,
      cpus = DEFAULT_CPUS,
      behaviourOf = () => undefined,
      grantLimits = DEFAULT_GRANT_LIMITS,
    }: HostOptions,
  ) {
    this.architecture = architecture;
    this.flask = flask;
    this.#behaviourOf = behaviourOf;
    this.#grantLimits = grantLimits;
    this.links = new ModelLinks(this);
    this.processors = new ModelProcessors(cpus);
  }

  /** domain_create() and sanitise_domain_config(), xen/common/domain.c, and their halves for each architecture. */
  createDomain(domid: number, creation: DomainCreation): number {
    const { initialPoolPages } = this.architecture;
    const gone = this.given | this.dropped;
    const refused = creationError(creation, gone, this.architecture, this.#grantLimits);
    if (domid > MAX_DOMID) return -abi.XEN_EINVAL;
    if (this.domains.has(domid)) return -abi.XEN_EEXIST;
    if (refused !== 0) return -refused;
    const structurePages = this.architecture.domainPages(this.domains.size);
    if (!this.take(structurePages + initialPoolPages)) return -abi.XEN_ENOMEM;
    const isForbidden = this.flask?.has(creation.label) === false;
    const answer = isForbidden ? -abi.XEN_EACCES : this.processors.admit(creation.cpuPool);
    if (answer < 0) {
      this.freePages += structurePages + initialPoolPages;
      return answer;
    }
    const { createFlags, maxVcpus, cpuPool, grantFrames, maxEventChannelPort } = creation;
    this.domains.set(domid, {
      ...{ domid, index: this.#created++, createFlags, maxVcpus, cpuPool },
      ...{
        memory: new GuestMemory(),
        tables: this.architecture.newTables(),
        vcpus: 0,
        structurePages,
      },
      ...{
        pagingPoolPages: initialPoolPages,
        maxPages: 0,
        totalPages: 0,
        context: undefined,
        started: false,
        ports: noPorts(maxEventChannelPort),
        maxGrantFrames: grantFrames < 0 ? this.#grantLimits.grantFrames : grantFrames,
        grantFrames: 1,
        grants: new Map(),
      },
    });
    this.given |= createFlags & PRIVILEGES;
    return 0;
  }

  /** boot_domain_drop(), xen/common/boot_domain.c. */
  drop(privileges: number, reserved: number, reservedPages: number): number {
    if (((privileges | reserved) & ~PRIVILEGES) !== 0) return -abi.XEN_EINVAL;
    if (reserved !== 0 && this.#created > 0) return -abi.XEN_EPERM;
    this.dropped |= privileges;
    this.reserved |= reserved;
    this.reservedPages = 0;
    if (reservedPages > this.freePages) return -abi.XEN_ENOMEM;
    this.reservedPages = reservedPages;
    return 0;
  }

  /** boot_domain_wait(), xen/common/boot_domain.c: news, or undefined after sleeping. */
  wait(timeoutNs: number): News | undefined {
    const running = this.lives.filter(({ destroyedNs }) => destroyedNs === undefined);
    const news = takeNews(running, this.now);
    if (news === undefined && timeoutNs > 0) {
      this.now = Math.min(this.now + timeoutNs, nextNews(running, this.now));
    }
    return news;
  }

  /** boot_domain_may_use_sysctl(), xen/common/boot_domain.c: not while one runs that was started. */
  changePool(argument: PoolArgument): number {
    const runs = [...this.domains.values()].some(({ started }) => started);
    return runs ? -abi.XEN_EPERM : this.processors.change(argument);
  }

  /** XEN_DOMCTL_max_vcpus, xen/common/domctl.c. */
  allocateVcpus(domain: ModelDomain, vcpus: number): number {
    if (vcpus !== domain.maxVcpus) return -abi.XEN_EINVAL;
    const { vcpuPages, vcpuTables } = this.architecture;
    const pages = vcpuPages(vcpus) - vcpuPages(domain.vcpus);
    if (!this.take(pages)) return -abi.XEN_ENOMEM;
    domain.structurePages += pages;
    domain.tables.take(vcpuTables(vcpus) - vcpuTables(domain.vcpus));
    domain.vcpus = vcpus;
    return 0;
  }

  /** arch_set_paging_mempool_size(): xen/arch/x86/mm/paging.c, xen/arch/arm/p2m.c. */
  setPagingPool(domain: ModelDomain, bytes: bigint): number {
    if (bytes % BigInt(PAGE_SIZE) !== 0n) return -abi.XEN_EINVAL;
    const pages = Number(bytes / BigInt(PAGE_SIZE));
    if (pages < domain.tables.pages) return -abi.XEN_ENOMEM;
    const most = Math.min(pages - domain.pagingPoolPages, this.#available());
    this.take(most);
    domain.pagingPoolPages += most;
    return domain.pagingPoolPages === pages ? 0 : -abi.XEN_ENOMEM;
  }

  /**
   * populate_physmap(), xen/common/memory.c: the number of extents done, even if not all; `frameOf`
   * tells each one's gfn, undefined if it can't be read.
   */
  populate(
    domid: number,
    order: number,
    extents: number,
    frameOf: (extent: number) => number | undefined,
  ): number {
    const domain = this.domains.get(domid);
    if (domain === undefined) return -abi.XEN_ESRCH;
    if (domain.started) return 0;
    if (order > CONTROL_DOMAIN_MAX_ORDER) return 0;
    const pages = 2 ** order;
    for (let extent = 0; extent < extents; extent++) {
      const frame = frameOf(extent);
      if (frame === undefined || domain.totalPages + pages > domain.maxPages) return extent;
      if (!this.take(pages)) return extent;
      if (!domain.tables.map(frame, order, domain.pagingPoolPages)) {
        this.freePages += pages;
        return extent;
      }
      this.now += pages * POPULATE_PAGE_NS;
      domain.totalPages += pages;
      domain.memory.populate(frame, pages);
    }
    return extents;
  }

  /**
   * boot_domain_fill(), xen/common/boot_domain.c: copies what `source` gives for each page,
   * undefined if there is none; without a source clears.
   */
  fill(
    domid: number,
    gfn: number,
    pages: number,
    source?: (page: number) => Uint8Array | undefined,
  ): number {
    const domain = this.domains.get(domid);
    if (domain === undefined) return -abi.XEN_ESRCH;
    if (domain.started) return -abi.XEN_EPERM;
    for (let page = 0; page < pages; page++) {
      if (!domain.memory.isPopulated(gfn + page)) return -abi.XEN_ENOENT;
      const content = source === undefined ? new Uint8Array(PAGE_SIZE) : source(page);
      if (content === undefined) return -abi.XEN_ENOENT;
      this.now += source === undefined ? CLEAR_PAGE_NS : COPY_PAGE_NS;
      domain.memory.write(gfn + page, content);
    }
    return 0;
  }

  /** XEN_DOMCTL_sethvmcontext, xen/arch/x86/domctl.c; XEN_DOMCTL_setvcpucontext, xen/common/domctl.c. */
  setContext(domain: ModelDomain, context: Uint8Array): number {
    const copyTakesPage = this.architecture.copyTakesPage(this.domains.size);
    if (this.#available() === 0 && copyTakesPage) return -abi.XEN_ENOMEM;
    const error = this.architecture.loadContext(context, domain.vcpus);
    if (error !== 0) return -error;
    domain.context = context;
    return 0;
  }

  /** domain_unpause_by_systemcontroller(), xen/common/domain.c. */
  unpause(domain: ModelDomain): number {
    if (domain.vcpus !== domain.maxVcpus) return -abi.XEN_EPERM;
    domain.started = true;
    const { domid } = domain;
    this.lives.push({
      ...{ domid, startedNs: this.now, behaviour: this.#behaviourOf(domid) ?? {} },
      signalPorts: this.links.signalPortsOf(domid),
      ...{ toldSignal: false, toldEnd: false, destroyedNs: undefined },
    });
    return 0;
  }

  /** domain_kill(), xen/common/domain.c. */
  destroy(domain: ModelDomain): number {
    this.freePages += domain.totalPages + domain.pagingPoolPages + domain.structurePages;
    this.domains.delete(domain.domid);
    const life = this.lives.findLast(({ domid }) => domid === domain.domid);
    if (life !== undefined && domain.started) life.destroyedNs = this.now;
    if (!domain.started) this.given &= ~domain.createFlags;
    else {
      this.given &= ~(domain.createFlags & this.reserved);
      this.reserved &= ~domain.createFlags;
    }
    return 0;
  }

  /** clean_up(), xen/common/boot_domain.c, after a launch that failed. */
  destroyUnstarted(): void {
    for (const domain of [...this.domains.values()]) if (!domain.started) this.destroy(domain);
  }

  /** Takes pages that are free and nobody's; false if there are not so many. */
  take(pages: number): boolean {
    if (pages > this.#available()) return false;
    this.freePages -= pages;
    return true;
  }

  /** Pages that a domain can get. */
  #available(): number {
    return Math.max(0, this.freePages - this.reservedPages);
  }
}
