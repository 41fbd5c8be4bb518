// SPDX-License-Identifier: Apache-2.0
// What can be wrong with the files that a launch is made of.

import { defineRules } from "../diagnostics/rules.js";

export const materialRules = defineRules({
  DOMB3001: {
    slug: "file-missing",
    title: "a material's file is not there",
    severity: "error",
    explanation:
      "Every kernel and ramdisk is read when the image is made. Paths are relative to the " +
      "description's file.",
    example: "kernel: ./no-such-file",
  },
  DOMB3002: {
    slug: "file-unreadable",
    title: "a material's file can't be read",
    severity: "error",
    explanation:
      "The file is there, but the operating system refuses to read it: it is a directory, or the " +
      "user that runs domb has no permission.",
    example: "ramdisk: /boot",
  },
  DOMB3003: {
    slug: "file-size",
    title: "a material's file is empty or too large",
    severity: "error",
    explanation: "A material has at least one byte and fits in an image.",
    example: "ramdisk: ./empty",
  },
  DOMB3004: {
    slug: "kernel-format",
    title: "a kernel is of no known format",
    severity: "error",
    explanation:
      "A kernel is a bzImage, an arm64 Image, plain or packed with gzip, or an ELF file: for x86-64 " +
      "with a PVH entry note, for arm64 with physical addresses.",
    example: "kernel: ./launch.yaml",
  },
  DOMB3005: {
    slug: "bzimage-header",
    title: "a bzImage's setup header is damaged",
    severity: "error",
    explanation:
      "The setup header says where the compressed kernel lies in the file. Here it points outside " +
      "of it: most often the file was cut short while it was copied.",
    example: "a bzImage cut in half",
  },
  DOMB3006: {
    slug: "bzimage-compression",
    title: "a bzImage is packed in a way that domb does not read",
    severity: "error",
    explanation: "domb unpacks gzip, xz, zstd and lz4, the formats that distributions use.",
    example: "a bzImage with CONFIG_KERNEL_BZIP2",
  },
  DOMB3007: {
    slug: "bzimage-payload",
    title: "a bzImage's compressed kernel is damaged",
    severity: "error",
    explanation:
      "The compressed kernel does not unpack, or not to the size that stands at its end: most " +
      "often the file was damaged while it was copied.",
    example: "a bzImage with a byte changed",
  },
  DOMB3008: {
    slug: "elf-field",
    title: "a field of a kernel's ELF header is wrong",
    severity: "error",
    explanation:
      "A kernel's ELF headers say where its segments lie in the file and in the guest's memory. " +
      "Each field is checked before it is used.",
    example: "a program header whose p_offset lies behind the file's end",
  },
  DOMB3009: {
    slug: "elf-entry-note",
    title: "a kernel has no PVH entry",
    severity: "error",
    explanation:
      "A PVH kernel says where it starts by an ELF note of the owner Xen with the type " +
      "XEN_ELFNOTE_PHYS32_ENTRY. Linux has it when it is built with CONFIG_PVH.",
    example: "kernel: /bin/true",
  },
  DOMB3010: {
    slug: "elf-segments",
    title: "a kernel's segments overlap",
    severity: "error",
    explanation: "Two segments can't lie in the same bytes of the guest's memory.",
    example: "two program headers with the same p_paddr",
  },
  DOMB3011: {
    slug: "arm64-image-header",
    title: "an arm64 Image's header is wrong",
    severity: "error",
    explanation:
      "An Image's header says how much memory the kernel takes and where in it its file lies " +
      "(Linux, Documentation/arm64/booting.rst).",
    example: "an Image cut in half",
  },
  DOMB3012: {
    slug: "kernel-architecture",
    title: "a kernel is for another architecture than the launch",
    severity: "error",
    explanation:
      "A host and all of its domains have one architecture: what `arch` says, or else that of the " +
      "first domain's kernel.",
    example: "arch: arm64 with a bzImage",
  },
  DOMB3013: {
    slug: "board",
    title: "a board's device tree does not say what a launch needs",
    severity: "error",
    explanation:
      "Of a board's device tree the compiler takes which interrupt controller (GIC) the board has, " +
      "and how much memory.",
    example: "board: a device tree without an interrupt controller",
  },
  DOMB3014: {
    slug: "board-memory",
    title: "a launch takes more memory than its board has",
    severity: "error",
    explanation:
      "What Xen, the boot domain and all Initial Domains take at the launch's peak is held against " +
      "the memory that the board's device tree has.",
    example: "four domains with 1 GiB each on a board with 2 GiB",
  },
});
