// SPDX-License-Identifier: Apache-2.0
// What the test of Secure Boot and the demo of it share: a launch on a medium for EFI firmware, a
// machine that trusts one key, and media with one byte changed.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CompiledLaunch } from "../../compiler/compile.js";
import type { XenVersion } from "../../compiler/image/xen-versions.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import type { LaunchParts, MediumFile } from "../../media/launch-parts.js";
import { readPe } from "../../media/pe.js";
import { signProgram } from "../../media/sign.js";
import { efiPaths, makeUnifiedXen } from "../../media/unified-xen.js";
import { type Architecture, paths } from "../../setup/paths.js";
import { defaultMarker } from "../boot.js";
import { hosts } from "../host.js";
import type { ExpectedDomain, TimelineEvent } from "../launch-observer.js";
import {
  emptiedStore,
  type FirmwareVariable,
  fillVariableStore,
  secureBootVariables,
} from "./firmware-variables.js";
import { bootMedia, firmwareFiles, type MediaBoot } from "./media-host.js";
import { makeTestKey, type TestKey } from "./test-key.js";

/** Long after any launch or refusal, which end a boot by themselves. */
export const timeLimitSeconds = 300;

/** The parts of a launch for a machine whose serial port is heard. */
export async function partsOf(launch: CompiledLaunch, xen?: XenVersion): Promise<LaunchParts> {
  const { architecture, image, policy, xenCommandLine } = launch;
  const { consoleOptions } = hosts[architecture];
  return {
    bootDomain: await readFile(paths.bootDomain(xen, architecture)),
    image,
    policy,
    xenOptions: [
      ...[...xenCommandLine.split(" "), ...consoleOptions],
      ...["loglvl=all", "console_timestamps=raw"],
    ],
  };
}

/** Its domains, each with the marker that it is to write. */
export function expectedDomains({ plan }: CompiledLaunch): readonly ExpectedDomain[] {
  return plan.domains.map(({ name, domid }) => ({ name, domid, until: [defaultMarker] }));
}

interface ProgramOptions {
  readonly xen?: XenVersion;
  readonly boardTree?: Uint8Array;
  readonly configuration?: string;
}

/** The program with one bit changed in the middle of a section. */
export function withChangedByte(program: Uint8Array, section: string): Uint8Array {
  const found = readPe(program)?.sections.find(({ name }) => name === section);
  if (found === undefined) throw new Error(`no section ${section}`);
  const changed = Uint8Array.from(program);
  const middle = found.fileOffset + Math.floor(found.size / 2);
  changed[middle] = (changed[middle] ?? 0) ^ 1;
  return changed;
}

/** The launch with one bit changed in its last material, which the boot domain finds. */
export function withDamagedMaterial(parts: LaunchParts): LaunchParts {
  const image = Uint8Array.from(parts.image);
  const at = image.length - PAGE_SIZE;
  image[at] = (image[at] ?? 0) ^ 1;
  return { ...parts, image };
}

/** Keys in a private folder, and a machine whose firmware trusts the first one alone. */
export class SecureBootBench {
  private constructor(
    readonly directory: string,
    readonly trusted: TestKey,
    readonly stranger: TestKey,
    private readonly emptyVariables: Uint8Array,
    private readonly architecture: Architecture,
  ) {}

  static async open(architecture: Architecture = "x86_64"): Promise<SecureBootBench> {
    const directory = await mkdtemp(join(tmpdir(), "domb-keys-"));
    const [trusted, stranger] = await Promise.all([
      makeTestKey(directory, "trusted"),
      makeTestKey(directory, "stranger"),
    ]);
    const empty = emptiedStore(await readFile(firmwareFiles[architecture].variables));
    return new SecureBootBench(directory, trusted, stranger, empty, architecture);
  }

  async close(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  /** The program for EFI firmware, not signed. */
  async unsigned(parts: LaunchParts, { xen, ...more }: ProgramOptions = {}): Promise<Uint8Array> {
    return makeUnifiedXen(await readFile(paths.xenEfi(xen, this.architecture)), parts, more);
  }

  async signed(
    parts: LaunchParts,
    { key = this.trusted, ...more }: ProgramOptions & { readonly key?: TestKey } = {},
  ): Promise<Uint8Array> {
    return signProgram(await this.unsigned(parts, more), key);
  }

  /** Boots a program on the machine, with further boot entries and files. */
  boot(
    program: Uint8Array,
    domains: readonly ExpectedDomain[],
    more: {
      readonly bootEntry?: readonly FirmwareVariable[];
      readonly files?: readonly MediumFile[];
      readonly untilSuccess?: boolean;
      readonly timeLimitSeconds?: number;
      readonly onEvent?: (event: TimelineEvent) => void;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<MediaBoot> {
    const { bootEntry = [], files: others = [], ...observed } = more;
    const secureBoot = secureBootVariables(this.trusted.certificate);
    const variables = fillVariableStore(this.emptyVariables, [...secureBoot, ...bootEntry]);
    const { architecture } = this;
    const files = [{ path: efiPaths[architecture], bytes: program }, ...others];
    return bootMedia({
      machine: { kind: "efi", architecture, variables, files },
      domains,
      timeLimitSeconds,
      ...observed,
    });
  }
}
