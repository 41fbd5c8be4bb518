// SPDX-License-Identifier: Apache-2.0
// A kernel's segments as whole pages. Segments may begin, end and meet within a page; what of a
// page no segment covers is zero.

import { PAGE_SIZE } from "../../contract/limits.js";
import type { Kernel } from "../materials/elf.js";

/** One page that the guest relies on. */
export interface GuestPage {
  readonly frame: number;
  /** Its PAGE_SIZE bytes; undefined when all are zero. */
  readonly bytes: Uint8Array | undefined;
}

/** A kernel with its pages, made once however many domains have it. */
export interface GuestKernel {
  readonly kernel: Kernel;
  /** Every page that a segment touches, by ascending frame. */
  readonly pages: readonly GuestPage[];
}

const ZERO_PAGE = Buffer.alloc(PAGE_SIZE);

/** Makes a kernel's pages. */
export function guestKernel(kernel: Kernel): GuestKernel {
  return { kernel, pages: kernelPages(kernel) };
}

function kernelPages(kernel: Kernel): readonly GuestPage[] {
  const pages = new Map<number, Uint8Array | undefined>();
  for (const { address, bytes, memoryBytes } of kernel.segments) {
    const end = address + memoryBytes;
    for (let frame = Math.floor(address / PAGE_SIZE); frame * PAGE_SIZE < end; frame++) {
      const offset = frame * PAGE_SIZE - address;
      const content = bytes.subarray(Math.max(0, offset), Math.max(0, offset + PAGE_SIZE));
      if (content.length === PAGE_SIZE) {
        pages.set(frame, content);
      } else if (content.length > 0) {
        // Another segment may already have bytes in this page.
        const page = pages.get(frame) ?? new Uint8Array(PAGE_SIZE);
        page.set(content, Math.max(0, -offset));
        pages.set(frame, page);
      } else if (!pages.has(frame)) {
        pages.set(frame, undefined);
      }
    }
  }
  return [...pages]
    .map(([frame, bytes]) => ({ frame, bytes: isZero(bytes) ? undefined : bytes }))
    .sort((a, b) => a.frame - b.frame);
}

function isZero(page: Uint8Array | undefined): boolean {
  return page === undefined || ZERO_PAGE.equals(page);
}
