// SPDX-License-Identifier: Apache-2.0
// The hypercalls of a launch by name: those of the plan's operations under the operation's name,
// and what can be seen of each, and put in its place, while a launch runs on the model.

/** Every hypercall that the boot domain makes. */
export const hypercallNames = [
  "createDomain",
  "allocateVcpus",
  "setPagingPool",
  "limitMemory",
  "populate",
  "copy",
  "clear",
  "setContext",
  "setAffinity",
  "setShare",
  "changePool",
  "openChannel",
  "grant",
  "start",
  "wait",
  "destroy",
  "console",
  "exit",
  "drop",
  "policy",
  "label",
] as const;

export type HypercallName = (typeof hypercallNames)[number];

/** One hypercall as the boot domain makes it. */
export interface Hypercall {
  /** Its number in the launch, from 1. */
  readonly number: number;
  readonly name: HypercallName;
  /** Its number among the launch's hypercalls of this name, from 1. */
  readonly occurrence: number;
  /** The domain that it is on; 0 for those on none. */
  readonly domid: number;
  /** Units (extents, pages; 1 for all else) that it asks for. */
  readonly wanted: number;
  /** Of a copy: the first of the boot domain's frames that it copies from. */
  readonly sourceFrame?: number | undefined;
  /** Of a wait: how long it sleeps at most, in nanoseconds; 0: it does not. */
  readonly timeoutNs?: number | undefined;
  /** Its other arguments in words, empty for none. */
  readonly details: () => string;
  /** Virtual time of the call in nanoseconds. */
  readonly atNs: number;
}

/** What a hypercall gives instead of what Xen would. */
export interface Injection {
  /** 0 or more, or a negative errno. */
  readonly answer: number;
  /** Units (extents, pages; 1 for all else) that it does before it answers. */
  readonly done: number;
}
