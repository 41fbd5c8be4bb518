// SPDX-License-Identifier: Apache-2.0
// The hosts that the lab starts launches on, one for each architecture.

import type { Architecture } from "../setup/paths.js";
import { arm64MemoryStart, arm64Program, arm64Words, leastArm64Memory } from "./host-arm64.js";
import { x86Program, x86Words } from "./host-x86.js";
import { type HostRequest, type QemuEnding, runQemu } from "./qemu.js";

export interface Host {
  /** The program that emulates it, and Debian's package of that. */
  readonly program: string;
  readonly package: string;
  /** Xen's options that send its log to the serial port. */
  readonly consoleOptions: readonly string[];
  /** Whether the counter that Xen stamps lines with is virtual nanoseconds under icount. */
  readonly countsNanoseconds: boolean;
  /** Address of its memory's first byte. */
  readonly memoryStart: number;
  /** The least memory that boot modules of these sizes can be loaded to. */
  readonly leastMemoryBytes: (moduleBytes: readonly number[]) => number;
  /** The words of QEMU's command line. */
  readonly words: (request: HostRequest) => string[] | Promise<string[]>;
}

export const hosts: Readonly<Record<Architecture, Host>> = {
  x86_64: {
    program: x86Program,
    package: "qemu-system-x86",
    consoleOptions: ["com1=115200,8n1", "console=com1"],
    countsNanoseconds: true,
    memoryStart: 0,
    // QEMU refuses what doesn't fit.
    leastMemoryBytes: () => 0,
    words: x86Words,
  },
  arm64: {
    program: arm64Program,
    package: "qemu-system-arm",
    // The board's tree says which UART it is.
    consoleOptions: ["console=dtuart"],
    countsNanoseconds: false,
    memoryStart: arm64MemoryStart,
    leastMemoryBytes: leastArm64Memory,
    words: arm64Words,
  },
};

/** Options for a log that can be read: all of it, each line stamped with the host's counter. */
export function logOptions(architecture: Architecture): string[] {
  const stamped = ["loglvl=all", "guest_loglvl=all", "console_timestamps=raw"];
  return [...hosts[architecture].consoleOptions, ...stamped];
}

/** Runs Xen on a host until QEMU ends or the signal comes; `onLine` is given each line of its log. */
export async function runHost(
  architecture: Architecture,
  request: HostRequest,
  onLine: (line: string) => void,
): Promise<QemuEnding> {
  const { program, words } = hosts[architecture];
  return runQemu(program, await words(request), request, onLine);
}
