// SPDX-License-Identifier: Apache-2.0
// A domain's memory: which frames are populated, and what is in them. A frame that nobody has
// written holds other bytes than zero, because Xen does not promise zeroed pages.

import { PAGE_SIZE } from "../contract/limits.js";

const blockFrames = 512;
/** What a page holds that was populated and never written. */
export const STALE_BYTE = 0xa5;

export class GuestMemory {
  readonly #blocks = new Map<number, Uint8Array>();
  readonly #contents = new Map<number, Uint8Array>();
  #pages = 0;

  /** Number of populated frames. */
  get pages(): number {
    return this.#pages;
  }

  /** Populates `count` frames from `first`. */
  populate(first: number, count: number): void {
    for (let frame = first; frame < first + count; frame++) {
      const index = Math.floor(frame / blockFrames);
      const block = this.#blocks.get(index) ?? new Uint8Array(blockFrames);
      this.#blocks.set(index, block);
      if (block[frame % blockFrames] === 0) this.#pages++;
      block[frame % blockFrames] = 1;
    }
  }

  isPopulated(frame: number): boolean {
    return this.#blocks.get(Math.floor(frame / blockFrames))?.[frame % blockFrames] === 1;
  }

  /** Sets the content of a populated frame; shorter content is filled up with zeros. */
  write(frame: number, content: Uint8Array): void {
    const page = new Uint8Array(PAGE_SIZE);
    page.set(content);
    this.#contents.set(frame, page);
  }

  /** A populated frame's content. */
  read(frame: number): Uint8Array {
    return this.#contents.get(frame) ?? new Uint8Array(PAGE_SIZE).fill(STALE_BYTE);
  }
}
