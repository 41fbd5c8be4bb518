// SPDX-License-Identifier: Apache-2.0
// Runs Xen in QEMU and hands on its serial port, line by line. QEMU never outlives this process:
// the kernel ends it with its parent, whatever ends that.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { followLines } from "./follow-file.js";

export interface QemuRequest {
  /**
   * Folder with the files that QEMU loads, by these names: Xen sees them, so that another name
   * would be another time.
   */
  readonly directory: string;
  readonly xenCommandLine: string;
  readonly memoryBytes: number;
  readonly moreOptions: readonly string[];
  /** Virtual time counts instructions: the same inputs give the same times, to the digit. */
  readonly icount: boolean;
  /** A socket that takes what is typed at the host's serial port. */
  readonly consoleSocket?: string;
  /** Xen's boot modules: files in the directory, each with its command line after a space. */
  readonly modules: readonly string[];
  /** A socket on which QEMU answers QMP. */
  readonly monitorSocket?: string;
  readonly signal: AbortSignal;
}

/** The program that emulates the host. */
export const qemuProgram = "qemu-system-x86_64";

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
function quoteCommas(path: string): string {
  return path.replaceAll(",", ",,");
}

/** The words of QEMU's command line. */
export function qemuOptions(request: QemuRequest): string[] {
  return [
    ...["-machine", "q35"],
    // RDTSCP in guests ends in a missing instruction length, SMAP in faults, under emulation.
    ...["-cpu", "max,smap=off,rdtscp=off"],
    ...["-smp", "1"],
    ...["-m", `${Math.ceil(request.memoryBytes / mebibyte)}M`],
    // Without a seed and a clock on virtual time two runs differ.
    ...(request.icount
      ? ["-icount", "shift=0,sleep=off", "-seed", "1", "-rtc", "base=2026-01-01T00:00:00,clock=vm"]
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
    ...["-kernel", hostFiles.xen],
    ...["-initrd", request.modules.map(quoteCommas).join()],
    ...["-append", request.xenCommandLine],
  ];
}

/** How QEMU ended: by our signal, or by itself with this exit code and these last words. */
export interface QemuEnding {
  readonly exitCode: number | undefined;
  readonly stderr: string;
}

/**
 * Runs QEMU until it ends or the signal comes; `onLine` is given each line of the serial port.
 * Throws when QEMU can't be started at all.
 */
export function runQemu(request: QemuRequest, onLine: (line: string) => void): Promise<QemuEnding> {
  return runQemuWith(qemuOptions(request), request, onLine);
}

/** The same with these words, which send the serial port to its file in the directory. */
export async function runQemuWith(
  words: readonly string[],
  { directory, signal }: Pick<QemuRequest, "directory" | "signal">,
  onLine: (line: string) => void,
): Promise<QemuEnding> {
  const serial = join(directory, hostFiles.serial);
  await writeFile(serial, "");
  const process = execa("setpriv", ["--pdeathsig", "KILL", qemuProgram, ...words], {
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
