// SPDX-License-Identifier: Apache-2.0
// How much of the host's memory a launch takes at its peak: Xen, the boot domain with the image,
// every Initial Domain. Upper bounds, in pages unless said otherwise.

import { PAGE_SIZE } from "../contract/limits.js";
import {
  DEFAULT_GRANT_LIMITS,
  type GrantLimits,
  grantOptions,
  grantTablePages,
  PORTS_PER_PAGE,
} from "./domain-tables.js";

const MEBIBYTE = 0x100000;
/** Xen's code, heap and tables that don't grow with the host's memory. */
const XEN_PAGES = (64 * MEBIBYTE) / PAGE_SIZE;
/** Bytes of `struct page_info` and of the machine-to-physical table for each page of the host. */
const XEN_BYTES_PER_PAGE = 40;
/** Structures of a domain, shared info. */
const DOMAIN_PAGES = 48;
/** Structures of a vCPU, its stack or its local APIC and VMCB. */
const VCPU_PAGES = 16;
/** The boot domain's code, its linear memory, start info and what rounding takes. */
const BOOT_DOMAIN_BYTES = 4 * MEBIBYTE;

/** What counts of a planned domain. */
export interface PlannedDomain {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryPages: number;
  readonly pagingPoolPages: number;
  readonly maxEventChannelPort: number;
  readonly maxGrantFrames: number;
  readonly maxMaptrackFrames: number;
}

export interface HostDemand {
  /** Xen itself, for a host of totalBytes. */
  readonly xenPages: number;
  /** Given back when the boot domain exits. */
  readonly bootDomainPages: number;
  readonly domains: readonly { readonly name: string; readonly pages: number }[];
  /** Memory that the host must have at least. */
  readonly totalBytes: number;
}

/** Pages for a domain's paging structures: 256 for each vCPU, 2 for each MiB (as libxl gives). */
export function pagingPoolPages(memoryPages: number, vcpus: number): number {
  return 256 * vcpus + 2 * Math.ceil((memoryPages * PAGE_SIZE) / MEBIBYTE);
}

/** Size of the boot domain for an image of so many bytes: bytes, whole MiB. */
export function bootDomainBytes(imageBytes: number): number {
  return Math.ceil((imageBytes + BOOT_DOMAIN_BYTES) / MEBIBYTE) * MEBIBYTE;
}

/** What a domain takes of the host's memory. */
export function pagesOfDomain(domain: PlannedDomain): number {
  const { vcpus, memoryPages, pagingPoolPages, maxEventChannelPort } = domain;
  const tablePages =
    Math.ceil((maxEventChannelPort + 1) / PORTS_PER_PAGE) +
    grantTablePages(domain.maxGrantFrames) +
    domain.maxMaptrackFrames;
  return memoryPages + pagingPoolPages + tablePages + structurePages(vcpus);
}

/** Pages of Xen's own structures for a domain. */
function structurePages(vcpus: number): number {
  return DOMAIN_PAGES + vcpus * VCPU_PAGES;
}

/** What the host must have for this plan, whose image has so many bytes. */
export function hostDemand(
  plan: { readonly domains: readonly PlannedDomain[]; readonly reservedPages: number },
  imageBytes: number,
): HostDemand {
  const bootDomain = bootDomainBytes(imageBytes);
  const bootDomainPages =
    bootDomain / PAGE_SIZE + pagingPoolPages(bootDomain / PAGE_SIZE, 1) + structurePages(1);
  const domains = plan.domains.map((domain) => ({
    name: domain.name,
    pages: pagesOfDomain(domain),
  }));
  const domainPages = domains.reduce((sum, { pages }) => sum + pages, plan.reservedPages);
  // The boot loader's copy of the image is given back before the first domain is created.
  const imagePages = Math.ceil(imageBytes / PAGE_SIZE);
  const guestPages = bootDomainPages + Math.max(domainPages, imagePages);
  const hostPages = Math.ceil((guestPages + XEN_PAGES) / (1 - XEN_BYTES_PER_PAGE / PAGE_SIZE));
  return {
    xenPages: hostPages - guestPages,
    bootDomainPages,
    domains,
    totalBytes: hostPages * PAGE_SIZE,
  };
}

/** Xen's own limit on a launch, seconds: what is left to the boot domain's work. */
const LAUNCH_SECONDS = 120;

/** What of a launch Xen's command line has to know, beside the size of its image in bytes. */
export interface XenSetting {
  readonly hasPolicy?: boolean;
  /** How long it may wait for its domains, milliseconds. */
  readonly waitMs?: number;
  /** What its domains' grant tables have; default: what Xen allows unless it is told otherwise. */
  readonly grantLimits?: GrantLimits;
  /** Does it move CPUs between pools. */
  readonly movesCpus?: boolean;
}

/**
 * With its default of 500, credit2 on an idle CPU leaves a vCPU alone that has used up its credit and
 * ran elsewhere: the boot domain, which pauses while Xen moves a CPU, may then never run again.
 */
const NO_MIGRATE_RESISTANCE = "sched_credit2_migrate_resist=0";

/**
 * What Xen's command line must have for an image of so many bytes: the boot domain's size, more time
 * if the launch may wait, that lines of domains are shown, and larger grant tables if links need them.
 */
export function xenOptions(
  imageBytes: number,
  {
    hasPolicy = false,
    waitMs = 0,
    grantLimits = DEFAULT_GRANT_LIMITS,
    movesCpus = false,
  }: XenSetting = {},
): string[] {
  const flask = hasPolicy ? ["xsm=flask", "flask=enforcing"] : [];
  const seconds = LAUNCH_SECONDS + Math.ceil(waitMs / 1000);
  const limit = waitMs === 0 ? "" : `,timeout=${seconds}`;
  const size = `${bootDomainBytes(imageBytes) / MEBIBYTE}M`;
  return [
    ...[`boot-domain=${size}${limit}`, "guest_loglvl=all"],
    ...(movesCpus ? [NO_MIGRATE_RESISTANCE] : []),
    ...grantOptions(grantLimits),
    ...flask,
  ];
}
