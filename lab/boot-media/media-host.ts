// SPDX-License-Identifier: Apache-2.0
// Boots a machine in QEMU as a real one boots, by its firmware from a disk: EFI firmware that
// enforces Secure Boot, a BIOS, or U-Boot. Ends with the launch, with the firmware's refusal of the
// disk, or with the time limit; or goes on, over reboots, until a launch succeeds. Time is the
// host's: firmware takes ten times as long in exact virtual time.

import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { MediumFile } from "../../media/launch-parts.js";
import type { Architecture } from "../../setup/paths.js";
import { hosts } from "../host.js";
import { arm64Machine, arm64Processor, arm64Program } from "../host-arm64.js";
import { x86Processor, x86Program } from "../host-x86.js";
import { type ExpectedDomain, LaunchObserver, type TimelineEvent } from "../launch-observer.js";
import { hostFiles, runQemu } from "../qemu.js";

/** Debian's firmware. A store of arm64 that is not zero alone has keys in it. */
export const firmwareFiles = {
  x86_64: {
    code: "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
    variables: "/usr/share/OVMF/OVMF_VARS_4M.fd",
  },
  arm64: {
    code: "/usr/share/AAVMF/AAVMF_CODE.ms.fd",
    variables: "/usr/share/AAVMF/AAVMF_VARS.ms.fd",
  },
  uboot: "/usr/lib/u-boot/qemu_arm64/u-boot.bin",
} as const;

export type Machine =
  /** EFI firmware with these variables, and a folder's files as its disk. */
  | {
      readonly kind: "efi";
      readonly architecture?: Architecture;
      readonly variables: Uint8Array;
      readonly files: readonly MediumFile[];
    }
  /** U-Boot with this control tree, or the emulated board's own, and a folder's files as its disk. */
  | {
      readonly kind: "uboot";
      readonly controlTree?: Uint8Array | undefined;
      readonly files: readonly MediumFile[];
    }
  /** A BIOS, and a disk as it is in a file. */
  | { readonly kind: "bios"; readonly disk: string; readonly writable?: boolean };

export interface MediaBootRequest {
  readonly machine: Machine;
  readonly domains: readonly ExpectedDomain[];
  readonly timeLimitSeconds: number;
  /** Lets the machine go on after a refusal, and start again, until a launch succeeds. */
  readonly untilSuccess?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TimelineEvent) => void;
}

export interface MediaBoot {
  readonly status: "success" | "recovered" | "failed" | "died" | "refused" | "timeout";
  /** One sentence, or the firmware's own words. */
  readonly reason: string;
  /** What did not succeed before, where the machine went on after it. */
  readonly failures: readonly string[];
  /** All that the serial port printed. */
  readonly lines: readonly string[];
}

const memory = "512M";

/** What firmware says of what it does not start, and its words when it has given it up. */
const refusals: Readonly<Record<Machine["kind"], { readonly why: RegExp; readonly end: RegExp }>> =
  (() => {
    // The shell is the firmware's own.
    const efi =
      /BdsDxe: failed to (?:load|start) Boot\d+ (?!"EFI Internal Shell").*(?:Access Denied|Security Violation)/;
    const never = /(?!)/;
    return {
      efi: { why: efi, end: efi },
      bios: { why: never, end: never },
      uboot: {
        why: /^(?:Failed to (?:load|verify required signature)|Bad hash value for) .*/,
        end: /^SCRIPT FAILED/,
      },
    };
  })();

/** The program that emulates the machine. */
function programOf(machine: Machine): string {
  if (machine.kind === "efi") return hosts[machine.architecture ?? "x86_64"].program;
  return machine.kind === "bios" ? x86Program : arm64Program;
}

/** Puts files into the folder that is the machine's disk. */
async function writeDisk(directory: string, files: readonly MediumFile[]): Promise<void> {
  for (const { path, bytes } of files) {
    const place = join(directory, "disk", path);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, bytes);
  }
}

const diskFolder = ["-drive", "if=virtio,format=raw,readonly=on,file=fat:disk"];
const flash = "if=pflash,format=raw";
const flashes = [
  ...["-drive", `${flash},unit=0,readonly=on,file=firmware`],
  ...["-drive", `${flash},unit=1,file=variables`],
];
const arm64Words = ["-machine", arm64Machine(), ...arm64Processor];

async function wordsOf(machine: Machine, directory: string, reboots: boolean): Promise<string[]> {
  const common = [
    ...["-smp", "1", "-m", memory, ...(reboots ? [] : ["-no-reboot"])],
    ...["-display", "none", "-net", "none", "-nodefaults", "-monitor", "none"],
    ...["-serial", `file:${hostFiles.serial}`],
  ];
  if (machine.kind === "bios") {
    await symlink(machine.disk, join(directory, "disk"));
    const access = machine.writable === true ? "off" : "on";
    const disk = `if=virtio,format=raw,readonly=${access},file=disk`;
    return ["-machine", "q35", ...x86Processor, ...common, "-drive", disk];
  }
  await writeDisk(directory, machine.files);
  if (machine.kind === "uboot") {
    await cp(firmwareFiles.uboot, join(directory, "firmware"));
    const words = [...arm64Words, ...common, "-bios", "firmware", ...diskFolder];
    if (machine.controlTree === undefined) return words;
    await writeFile(join(directory, "control-tree"), machine.controlTree);
    return [...words, "-dtb", "control-tree"];
  }
  const { architecture = "x86_64", variables } = machine;
  await cp(firmwareFiles[architecture].code, join(directory, "firmware"));
  await writeFile(join(directory, "variables"), variables);
  if (architecture === "arm64") return [...arm64Words, ...common, ...flashes, ...diskFolder];
  return [
    // Without system management mode, nothing would keep the variables from what runs later.
    ...["-machine", "q35,smm=on", "-global", "ICH9-LPC.disable_s3=1"],
    ...["-global", "driver=cfi.pflash01,property=secure,value=on"],
    ...[...x86Processor, ...common, ...flashes, ...diskFolder],
  ];
}

/** Boots the machine; leaves no file. */
export async function bootMedia(request: MediaBootRequest): Promise<MediaBoot> {
  const { machine, domains, timeLimitSeconds, untilSuccess = false, signal, onEvent } = request;
  const directory = await mkdtemp(join(tmpdir(), "domb-host-"));
  let observer = new LaunchObserver(domains, false);
  const failures: string[] = [];
  const lines: string[] = [];
  const { why, end } = refusals[machine.kind];
  let refusal: string | undefined;
  let refused: string | undefined;
  const done = new AbortController();
  const limit = AbortSignal.timeout(timeLimitSeconds * 1000);
  const stops = [done.signal, limit, ...(signal === undefined ? [] : [signal])];
  try {
    const words = await wordsOf(machine, directory, untilSuccess);
    const host = { directory, signal: AbortSignal.any(stops) };
    const { stderr } = await runQemu(programOf(machine), words, host, (line) => {
      lines.push(line);
      for (const event of observer.observe(line)) onEvent?.(event);
      refusal ??= why.exec(line)?.[0];
      if (refusal !== undefined && end.test(line)) refused ??= refusal;
      const ending = observer.ending();
      if (refused === undefined && ending === undefined) return;
      if (!untilSuccess || ending?.status === "success") return done.abort();
      failures.push(refused ?? ending?.reason ?? "");
      refusal = refused = undefined;
      observer = new LaunchObserver(domains, false);
    });
    if (refused !== undefined) return { status: "refused", reason: refused, failures, lines };
    const ending = observer.ending();
    if (ending !== undefined) return { ...ending, failures, lines };
    signal?.throwIfAborted();
    if (limit.aborted) {
      const reason = `after ${timeLimitSeconds} s still waiting for the launch or a refusal`;
      return { status: "timeout", reason, failures, lines };
    }
    const reason = `QEMU ended by itself: ${stderr.trim()}`;
    return { status: "died", reason, failures, lines };
  } finally {
    done.abort();
    await rm(directory, { recursive: true, force: true });
  }
}
