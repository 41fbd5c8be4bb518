// SPDX-License-Identifier: Apache-2.0
// Numbers that follow from a seed: the same on every machine. A chain of SHA-256 digests, so that
// near seeds give numbers that have nothing in common.

import { createHash } from "node:crypto";

export class SeededNumbers {
  readonly #seed: string;
  #block = Buffer.alloc(0);
  #blocks = 0;
  #at = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** A number from 0 to 2^32 - 1. */
  u32(): number {
    if (this.#at === this.#block.length) {
      this.#block = createHash("sha256")
        .update(`${this.#seed}:${this.#blocks++}`)
        .digest();
      this.#at = 0;
    }
    this.#at += 4;
    return this.#block.readUInt32LE(this.#at - 4);
  }

  /** A number from 0 to `bound` - 1; 0 for a bound of 0. */
  below(bound: number): number {
    return bound === 0 ? 0 : this.u32() % bound;
  }

  /** Whether something that happens so many times in a hundred happens now. */
  percent(chance: number): boolean {
    return this.below(100) < chance;
  }

  /** One of the values, of which there is at least one. */
  one<Value>(values: readonly Value[]): Value {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new Error("there is nothing to choose from");
    return value;
  }
}
