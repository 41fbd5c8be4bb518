// SPDX-License-Identifier: Apache-2.0
// Runs QEMU and hands on the emulated host's serial port, line by line. QEMU never outlives this
// process: the kernel ends it with its parent, whatever ends that.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { GicVersion } from "../compiler/guest/platform.js";
import type { ModuleKind } from "../media/xen-tree.js";
import { followLines } from "./follow-file.js";

/** What is started, with its files in the directory, and what surrounds it. */
export interface HostRequest {
  /**
   * Folder with the files that QEMU loads, by these names: Xen sees them, so that another name
   * would be another time.
   */
  readonly directory: string;
  readonly xenCommandLine: string;
  readonly memoryBytes: number;
  /** Physical CPUs; default: one. */
  readonly cpus?: number;
  /** The interrupt controller of an arm64 board; default: that of launches that name no board. */
  readonly gic?: GicVersion;
  readonly moreOptions: readonly string[];
  /** Virtual time counts instructions: the same inputs give the same times, to the digit. */
  readonly icount: boolean;
  /** An instruction takes 2 to the power of this many nanoseconds then; default: 0. */
  readonly instructionShift?: number | undefined;
  /** A socket that takes what is typed at the host's serial port. */
  readonly consoleSocket?: string;
  readonly modules: readonly BootModule[];
  /** A socket on which QEMU answers QMP. */
  readonly monitorSocket?: string;
  readonly signal: AbortSignal;
}

/** What Xen is started with, in this order. */
export interface BootModule {
  /** Its file in the directory. */
  readonly file: string;
  readonly kind: ModuleKind;
  readonly commandLine?: string;
}

/** Names of files in the directory: Xen, its boot modules for a launch, the serial port. */
export const hostFiles = {
  xen: "xen",
  bootDomain: "boot-domain",
  image: "launch-image",
  policy: "policy",
  serial: "serial",
} as const;

const mebibyte = 0x100000;

/** Doubles commas, as QEMU wants them where a comma separates. */
export function quoteCommas(path: string): string {
  return path.replaceAll(",", ",,");
}

/** Words that QEMU takes for a host of any architecture without a device. */
export function commonWords(request: Omit<HostRequest, "modules" | "xenCommandLine">): string[] {
  return [
    ...["-smp", String(request.cpus ?? 1)],
    ...["-m", `${Math.ceil(request.memoryBytes / mebibyte)}M`],
    // Without a seed and a clock on virtual time two runs differ.
    ...(request.icount
      ? [
          ...["-icount", `shift=${request.instructionShift ?? 0},sleep=off`, "-seed", "1"],
          ...["-rtc", "base=2026-01-01T00:00:00,clock=vm"],
        ]
      : []),
    ...["-display", "none", "-net", "none", "-no-reboot", "-nodefaults"],
    ...(request.consoleSocket === undefined
      ? ["-serial", `file:${hostFiles.serial}`]
      : [
          "-chardev",
          `socket,id=console,path=${quoteCommas(request.consoleSocket)},server=on,wait=off,logfile=${hostFiles.serial}`,
          ...["-serial", "chardev:console"],
        ]),
    ...(request.monitorSocket === undefined
      ? ["-monitor", "none"]
      : ["-qmp", `unix:${quoteCommas(request.monitorSocket)},server=on,wait=off`]),
    ...request.moreOptions,
  ];
}

/** How QEMU ended: by our signal, or by itself with this exit code and these last words. */
export interface QemuEnding {
  readonly exitCode: number | undefined;
  readonly stderr: string;
}

/**
 * Runs one of QEMU's programs, with words that send the serial port to its file in the directory,
 * until it ends or the signal comes; `onLine` is given each line of the serial port. Throws when it
 * can't be started at all.
 */
export async function runQemu(
  program: string,
  words: readonly string[],
  { directory, signal }: Pick<HostRequest, "directory" | "signal">,
  onLine: (line: string) => void,
): Promise<QemuEnding> {
  const serial = join(directory, hostFiles.serial);
  await writeFile(serial, "");
  const process = execa("setpriv", ["--pdeathsig", "KILL", program, ...words], {
    cwd: directory,
    stdin: "ignore",
    reject: false,
    cancelSignal: signal,
    forceKillAfterDelay: 2000,
    encoding: "utf8",
  });
  try {
    await followLines(serial, process, onLine);
  } catch (error) {
    process.kill("SIGKILL");
    await process;
    throw error;
  }
  const { exitCode, stderr } = await process;
  return { exitCode, stderr };
}
