// SPDX-License-Identifier: Apache-2.0
// Boots a machine in QEMU as a real one boots, by its firmware from a disk: EFI firmware that
// enforces Secure Boot, or a BIOS. Ends with the launch, with the firmware's refusal of the disk, or
// with the time limit. Time is the host's: firmware takes ten times as long in exact virtual time.

import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { MediumFile } from "../../media/launch-parts.js";
import { x86Processor, x86Program } from "../host-x86.js";
import { type ExpectedDomain, LaunchObserver, type TimelineEvent } from "../launch-observer.js";
import { hostFiles, runQemu } from "../qemu.js";

export const firmwareFiles = {
  code: "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
  emptyVariables: "/usr/share/OVMF/OVMF_VARS_4M.fd",
} as const;

export type Machine =
  /** EFI firmware with these variables, and a folder's files as its disk. */
  | { readonly kind: "efi"; readonly variables: Uint8Array; readonly files: readonly MediumFile[] }
  /** A BIOS, and a disk as it is in a file. */
  | { readonly kind: "bios"; readonly disk: string };

export interface MediaBootRequest {
  readonly machine: Machine;
  readonly domains: readonly ExpectedDomain[];
  readonly timeLimitSeconds: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TimelineEvent) => void;
}

export interface MediaBoot {
  readonly status: "success" | "recovered" | "failed" | "died" | "refused" | "timeout";
  /** One sentence, or the firmware's own words. */
  readonly reason: string;
  /** All that the serial port printed. */
  readonly lines: readonly string[];
}

const memory = "512M";

/** What firmware says of a disk's boot program that it does not start. The shell is its own. */
const refusal =
  /failed to (?:load|start) Boot\d+ (?!"EFI Internal Shell").*(Access Denied|Security Violation)/;

async function wordsOf(machine: Machine, directory: string): Promise<string[]> {
  const common = [
    ...[...x86Processor, "-smp", "1", "-m", memory],
    ...["-display", "none", "-net", "none", "-no-reboot", "-nodefaults", "-monitor", "none"],
    ...["-serial", `file:${hostFiles.serial}`],
  ];
  if (machine.kind === "bios") {
    await symlink(machine.disk, join(directory, "disk"));
    const disk = "if=virtio,format=raw,readonly=on,file=disk";
    return ["-machine", "q35", ...common, "-drive", disk];
  }
  for (const { path, bytes } of machine.files) {
    const place = join(directory, "disk", path);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, bytes);
  }
  await cp(firmwareFiles.code, join(directory, "firmware"));
  await writeFile(join(directory, "variables"), machine.variables);
  const flash = "if=pflash,format=raw";
  return [
    // Without system management mode, nothing would keep the variables from what runs later.
    ...["-machine", "q35,smm=on", "-global", "ICH9-LPC.disable_s3=1"],
    ...["-global", "driver=cfi.pflash01,property=secure,value=on"],
    ...common,
    ...["-drive", `${flash},unit=0,readonly=on,file=firmware`],
    ...["-drive", `${flash},unit=1,file=variables`],
    ...["-drive", "if=virtio,format=raw,readonly=on,file=fat:disk"],
  ];
}

/** Boots the machine; leaves no file. */
export async function bootMedia(request: MediaBootRequest): Promise<MediaBoot> {
  const { machine, domains, timeLimitSeconds, signal, onEvent } = request;
  const directory = await mkdtemp(join(tmpdir(), "domb-host-"));
  const observer = new LaunchObserver(domains, false);
  const lines: string[] = [];
  let refused: string | undefined;
  const done = new AbortController();
  const limit = AbortSignal.timeout(timeLimitSeconds * 1000);
  const stops = [done.signal, limit, ...(signal === undefined ? [] : [signal])];
  try {
    const words = await wordsOf(machine, directory);
    const host = { directory, signal: AbortSignal.any(stops) };
    const { stderr } = await runQemu(x86Program, words, host, (line) => {
      lines.push(line);
      for (const event of observer.observe(line)) onEvent?.(event);
      refused ??= refusal.test(line) ? line.slice(line.search("BdsDxe")) : undefined;
      if (refused !== undefined || observer.ending() !== undefined) done.abort();
    });
    if (refused !== undefined) return { status: "refused", reason: refused, lines };
    const ending = observer.ending();
    if (ending !== undefined) return { ...ending, lines };
    signal?.throwIfAborted();
    if (limit.aborted) {
      const reason = `after ${timeLimitSeconds} s still waiting for the launch or a refusal`;
      return { status: "timeout", reason, lines };
    }
    return { status: "died", reason: `QEMU ended by itself: ${stderr.trim()}`, lines };
  } finally {
    done.abort();
    await rm(directory, { recursive: true, force: true });
  }
}
