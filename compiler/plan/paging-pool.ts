// SPDX-License-Identifier: Apache-2.0
// Memory for a domain's paging structures.

/** Pages: 256 for each vCPU and 2 for each MiB of memory, as libxl gives. */
export function pagingPoolPages(memoryPages: number, vcpus: number): number {
  return 256 * vcpus + 2 * Math.ceil(memoryPages / 256);
}
