// SPDX-License-Identifier: Apache-2.0
// A launch description that has been read and found right: what every later stage builds on.
// Invariants: names and domids are unique, each within contract/limits.ts; files are absolute paths
// that nobody has opened yet (that is the materials stage's part).

import type { Architecture } from "../../xen-model/machines.js";
import type { Place } from "../diagnostics/diagnostic.js";
import type { Role } from "../plan/roles.js";
import type { failures, readinesses } from "./order-judges.js";
import type { Scheduler } from "./processor-judges.js";

/** What lets the domains start that are to start after a domain. */
export interface Readiness {
  readonly when: (typeof readinesses)[number];
  /** How long it may take from the domain's start, milliseconds; 0 with "started". */
  readonly withinMs: number;
}

/** One Initial Domain as the description asks for it, defaults filled in. */
export interface DomainDescription {
  /** At most NAME_BYTES - 1 characters of ASCII. */
  readonly name: string;
  /** Absolute path. */
  readonly kernel: string;
  /** Absolute path. */
  readonly ramdisk?: string;
  /** At most MAX_COMMAND_LINE_BYTES bytes of UTF-8, without control characters. */
  readonly cmdline: string;
  /** Whole pages, at most MAX_MEMORY_PAGES of them. */
  readonly memoryBytes: number;
  readonly vcpus: number;
  /** Different physical CPUs of its pool on which its vCPUs may run; undefined: all of the pool. */
  readonly cpus?: readonly number[];
  /** Does vCPU N run on the N-th of `cpus` alone: then there is one for each. */
  readonly pinned?: boolean;
  /** Undefined: Xen's default. Only where the pool's scheduler knows it. */
  readonly weight?: number;
  /** In percent of a CPU, 0 for no limit, as `weight` otherwise. */
  readonly cap?: number;
  /** One of the launch's pools; undefined: Pool-0. */
  readonly pool?: string;
  readonly type: "pvh";
  /** The given one, or the lowest free from 1 on, in the description's order. */
  readonly domid: number;
  /** May the domain write to Xen's log. */
  readonly output: "xen-log" | "none";
  /** What its end means for the host, when no control domain looks after it. */
  readonly onDeath: "leave" | "reboot";
  /** Each role is one domain's at most; the recovery domain may have what another one has. */
  readonly roles: readonly Role[];
  /** Is it made by the recovery plan, instead of all others. */
  readonly recovery: boolean;
  /** At most LABEL_BYTES - 1 characters of ASCII, of a label's form. */
  readonly label?: string;
  /** Names of the domains that must be ready before it starts: others of its plan, without a cycle. */
  readonly after: readonly string[];
  readonly ready: Readiness;
  /** "recover" only where there is a recovery domain. */
  readonly onFailure: (typeof failures)[number];
}

/** Of a domain that starts at once, and that nothing has to wait for. */
export const atOnce = {
  after: [],
  ready: { when: "started", withinMs: 0 },
  onFailure: "abort",
} as const satisfies Partial<DomainDescription>;

/** An event channel between two domains of the main plan. */
export interface EventChannelLink {
  readonly kind: "event-channel";
  readonly name: string;
  /** The domain that opens it. */
  readonly first: string;
  /** The domain that binds to it. */
  readonly second: string;
}

/** Memory of one domain of the main plan that others of it map: one other at least. */
export interface SharedMemoryLink {
  readonly kind: "shared-memory";
  readonly name: string;
  /** Whole pages, at most MAX_LINK_BYTES. */
  readonly bytes: number;
  /** The domain whose memory it is. */
  readonly owner: string;
  /** The other domains that may write it. */
  readonly writers: readonly string[];
  /** The domains that may only read it. */
  readonly readers: readonly string[];
}

/** Names of links are unique, and so are the domains of one link. */
export type Link = EventChannelLink | SharedMemoryLink;

/** CPUs that run nothing but the domains of this pool; no CPU is in two. */
export interface CpuPool {
  readonly name: string;
  /** One at least, by number, each once. */
  readonly cpus: readonly number[];
  readonly scheduler: Scheduler;
}

/**
 * A whole launch. Domains come in the order in which the description names them; one of them may be
 * the recovery domain, but not the only one.
 */
export interface LaunchDescription {
  /** The file that it was read from; empty when it was given as an object. */
  readonly source: string;
  /** Of the host and all domains; undefined: the kernels say it. */
  readonly arch?: Architecture;
  /** Absolute path of the device tree of the board that the launch is for. */
  readonly board?: string;
  /** Bytes of memory that the host has; undefined: the description does not say. */
  readonly hostMemoryBytes?: number;
  /** In the description's order, which their numbers follow; Pool-0 is not among them. */
  readonly pools?: readonly CpuPool[];
  readonly domains: readonly DomainDescription[];
  /** In the description's order, which ports and memory follow. */
  readonly links: readonly Link[];
  /** Absolute path of the FLASK policy that Xen must enforce. */
  readonly policy?: string;
  /** Must the launch be signed; undefined: if a key is given. */
  readonly verify?: "all" | "none";
  /**
   * Where the value at `path` stands in the source, for diagnostics of later stages; the nearest
   * value around it when the description leaves it to a default. Example: `["domains", "web",
   * "memory"]`.
   */
  placeOf(path: readonly (string | number)[]): Place;
}
