// SPDX-License-Identifier: Apache-2.0
// A launch description that has been read and found right: what every later stage builds on.
// Invariants: names and domids are unique, each within contract/limits.ts; files are absolute paths
// that nobody has opened yet (that is the materials stage's part).

import type { Architecture } from "../../xen-model/machines.js";
import type { Place } from "../diagnostics/diagnostic.js";
import type { Role } from "../plan/roles.js";

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
  readonly type: "pvh";
  /** The given one, or the lowest free from 1 on, in the description's order. */
  readonly domid: number;
  /** Names of the domains that must be ready before it starts. */
  readonly after: readonly string[];
  /** What makes it ready, and within how many milliseconds; 0 with `started`. */
  readonly ready: {
    readonly when: "started" | "signalled" | "finished";
    readonly withinMs: number;
  };
  /** What follows when it can't be made, or is not ready in time. */
  readonly onFailure: "abort" | "continue" | "recover";
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
  readonly domains: readonly DomainDescription[];
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
