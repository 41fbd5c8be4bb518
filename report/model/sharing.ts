// SPDX-License-Identifier: Apache-2.0
// What domains have in common, as their plan joins them: memory that one owns and others map.

/** Memory of `owner` that others map; names of domains. */
export interface Sharing {
  readonly owner: string;
  readonly bytes: number;
  /** Who may write it, the owner included. */
  readonly writers: readonly string[];
  /** Who may read it: all of them. */
  readonly readers: readonly string[];
}
