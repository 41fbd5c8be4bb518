// SPDX-License-Identifier: Apache-2.0
// `domb media IMAGE`: writes what a machine boots a launch from, for EFI firmware, GRUB
// or U-Boot.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { decodeDeviceTree } from "../../compiler/device-tree/decode.js";
import { decodeImage } from "../../compiler/explain/explain.js";
import { defaultXen, type XenVersion, xenOf } from "../../compiler/image/xen-versions.js";
import { longestWait } from "../../compiler/plan/longest-wait.js";
import { movesCpus } from "../../compiler/plan/processors.js";
import { fitFiles } from "../../media/fit.js";
import { grubFiles } from "../../media/grub.js";
import { type EarlierLaunch, earlierLaunch, launchTries } from "../../media/grub-fallback.js";
import {
  checkBootDomain,
  type LaunchParts,
  type MediumFile,
  xenCommandLine,
} from "../../media/launch-parts.js";
import { placeFiles } from "../../media/place-files.js";
import { readSigner, type Signer, signProgram } from "../../media/sign.js";
import { type BoardTree, checkBoard, ubootFiles } from "../../media/uboot.js";
import { efiPaths, makeUnifiedXen } from "../../media/unified-xen.js";
import { type Architecture, paths } from "../../setup/paths.js";
import { grantLimitsFor } from "../../xen-model/domain-tables.js";
import { architectureNames } from "../../xen-model/machines.js";
import { xenOptions } from "../../xen-model/memory.js";
import { CommandError, checkPolicyOption, EXIT, readBytes, take } from "../answer.js";
import { type Medium, mediaSchema, showMedium } from "../describe-media.js";
import { guarded, toCommandError } from "../media-errors.js";

interface MediaOptions {
  readonly efi?: boolean;
  readonly grub?: boolean;
  readonly uboot?: boolean;
  readonly fallback?: string;
  readonly board?: string;
  readonly output: string;
  readonly signKey?: string;
  readonly signCert?: string;
  readonly bootDomain?: string;
  readonly policy?: string;
  readonly xenOption: readonly string[];
  readonly json?: boolean;
}

/** What a medium is made of. */
interface Launch extends LaunchParts {
  readonly xen: XenVersion;
  readonly architecture: Architecture;
  readonly board?: BoardTree | undefined;
  readonly earlier?: EarlierLaunch | undefined;
}

export function registerMedia(program: Command): void {
  program
    .command("media")
    .summary("write what a machine boots a launch from")
    .description(
      "Writes a folder that a machine boots a launch from: Xen, boot domain and image in one file " +
        "for EFI firmware, which Secure Boot checks if it is signed; files and a menu for GRUB, on " +
        "x86-64; or on arm64, for U-Boot, files and a script, or one signed FIT image.",
    )
    .argument("<image>", "a launch image, as `domb build` writes it")
    .addOption(
      new Option(
        "--efi",
        `write ${efiPaths.x86_64}, or ${efiPaths.arm64}: one file with all parts`,
      ).conflicts(["grub", "uboot"]),
    )
    .addOption(new Option("--grub", "write boot/ with GRUB's menu; for x86-64").conflicts("uboot"))
    .addOption(
      new Option(
        "--uboot",
        "write files and U-Boot's boot.scr; with a key, launch.itb, signed; for arm64",
      ),
    )
    .requiredOption("-o, --output <folder>", "where to write; files that are there are replaced")
    .option(
      "--fallback <folder>",
      `a medium that --grub wrote earlier: GRUB starts it after ${launchTries} starts of the new one that nobody calls good`,
    )
    .option(
      "--board <file>",
      "the board's device tree (.dtb), for arm64; needed with --uboot, with --efi instead of the firmware's",
    )
    .option("--sign-key <file>", "private key for Secure Boot or for U-Boot, PEM")
    .option("--sign-cert <file>", "its certificate, PEM")
    .option("--boot-domain <file>", "another boot domain than the built one")
    .option("--xsm, --policy <file>", "FLASK policy for Xen, if the image is for one")
    .option(
      "--xen-option <option>",
      "a further option for Xen; may be repeated",
      (option: string, earlier: readonly string[]) => [...earlier, option],
      [],
    )
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      [
        "\nExamples:",
        "  domb media launch.img --efi -o esp --sign-key db.key --sign-cert db.pem",
        "  domb media launch.img --efi -o esp --xsm xenpolicy --xen-option console=com1",
        "  domb media launch.img --grub -o disk",
        "  domb media launch.img --grub --fallback earlier-disk -o disk",
        "  domb media launch.img --uboot --board board.dtb -o disk",
        "  domb media launch.img --uboot --board board.dtb -o disk --sign-key our.key --sign-cert our.pem",
        "\nThe same files and options give the same bytes. docs/boot-media.md says what each medium",
        "protects, how keys get into the firmware and into U-Boot, and what follows when a launch fails.",
      ].join("\n"),
    )
    .action(media);
}

async function media(path: string, options: MediaOptions): Promise<void> {
  const { json = false, output } = options;
  const signer = signerOf(options);
  const launch = await readLaunch(path, options, json);
  if (launch === undefined) return;
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.on("SIGINT", onInterrupt).on("SIGTERM", onInterrupt);
  try {
    const files = await filesOf(launch, signer, options, interrupt.signal);
    await place(output, files, interrupt.signal);
    const medium = {
      kind: kindOf(options),
      signed: signer !== undefined,
      folder: output,
      files,
      fallback: options.fallback,
      xenCommandLine: xenCommandLine(launch.xenOptions),
    } as const;
    showMedium(medium, json);
  } catch (error) {
    if (!interrupt.signal.aborted) throw toCommandError(error);
    process.exitCode = EXIT.interrupted;
  } finally {
    process.off("SIGINT", onInterrupt).off("SIGTERM", onInterrupt);
  }
}

function usage(message: string, fix: string): CommandError {
  return new CommandError("DOMB6001", message, fix);
}

const kindOf = ({ grub, uboot }: MediaOptions): Medium["kind"] =>
  grub === true ? "grub" : uboot === true ? "uboot" : "efi";

/** Refuses what the options don't say together. */
function signerOf({ efi, grub, uboot, ...options }: MediaOptions): Signer | undefined {
  const { board, fallback, signKey, signCert } = options;
  if (efi !== true && grub !== true && uboot !== true) {
    throw usage("what boots the medium is not said", "Give --efi, --grub or --uboot.");
  }
  if (uboot === true && board === undefined) {
    const message = "U-Boot starts Xen with the board's device tree, and none is given";
    throw usage(message, "Give its file with --board.");
  }
  if (fallback !== undefined && grub !== true) {
    const fix = "Use --grub; EFI firmware has BootNext (docs/boot-media.md).";
    throw usage("--fallback is for --grub alone", fix);
  }
  if (signKey === undefined && signCert === undefined) return undefined;
  if (grub === true) {
    const message = "--grub media are not signed: a BIOS checks nothing";
    throw usage(message, "Use --efi, or leave out --sign-key and --sign-cert.");
  }
  if (signKey === undefined || signCert === undefined) {
    const [there, missing] =
      signKey === undefined ? ["--sign-cert", "--sign-key"] : ["--sign-key", "--sign-cert"];
    throw usage(`${there} is given without ${missing}`, "Give both, or neither.");
  }
  return { keyPath: signKey, certificatePath: signCert };
}

/** Refuses what is not for the image's architecture. */
function checkArchitecture(
  path: string,
  architecture: Architecture,
  { grub, uboot, board }: MediaOptions,
): void {
  const others = { x86_64: { uboot, board }, arm64: { grub } }[architecture];
  const wrong = Object.entries(others).find(([, value]) => value !== undefined);
  if (wrong === undefined) return;
  const message = `--${wrong[0]} does not go with ${path}, which is for ${architectureNames[architecture]}`;
  throw usage(message, `Use ${architecture === "arm64" ? "--efi or --uboot" : "--efi or --grub"}.`);
}

/** Reads a board's device tree; undefined, and said why, if it is no such file. */
async function readBoard(path: string, json: boolean): Promise<BoardTree | undefined> {
  const bytes = await readBytes(path);
  const source = { place: { file: path }, name: path };
  const tree = take(decodeDeviceTree(bytes, source), { schema: mediaSchema, json });
  if (tree === undefined) return undefined;
  guarded(() => checkBoard(tree, path));
  return { bytes, tree };
}

/** Reads an earlier medium's launch; undefined, and said why, if its image is damaged. */
async function readEarlier(folder: string, json: boolean): Promise<EarlierLaunch | undefined> {
  const earlier = await earlierLaunch(folder, readBytes).catch((error: unknown) => {
    throw toCommandError(error);
  });
  const { path, bytes } = earlier.image;
  const decoded = decodeImage(bytes, { file: join(folder, path) });
  return take(decoded, { schema: mediaSchema, json }) && earlier;
}

/** Reads all that was named; undefined, and said why, if the image is damaged. */
async function readLaunch(
  path: string,
  options: MediaOptions,
  json: boolean,
): Promise<Launch | undefined> {
  const image = await readBytes(path);
  const policy = options.policy === undefined ? undefined : await readBytes(options.policy);
  const decoded = take(decodeImage(image, { file: path }), { schema: mediaSchema, json });
  if (decoded === undefined) return undefined;
  const { architecture } = decoded;
  checkArchitecture(path, architecture, options);
  checkPolicyOption(path, decoded.plan, policy);
  const xen = xenOf(decoded.header.xenInterface) ?? defaultXen;
  const { bootDomain: named, board: boardPath, fallback } = options;
  const board = boardPath === undefined ? undefined : await readBoard(boardPath, json);
  if (boardPath !== undefined && board === undefined) return undefined;
  const earlier = fallback === undefined ? undefined : await readEarlier(fallback, json);
  if (fallback !== undefined && earlier === undefined) return undefined;
  const bootDomain =
    named === undefined
      ? await readBuilt("the boot domain", paths.bootDomain(xen, architecture), xen)
      : await readBytes(named);
  if (named !== undefined) guarded(() => checkBootDomain(bootDomain, named, architecture));
  const setting = {
    hasPolicy: policy !== undefined,
    waitMs: longestWait(decoded.plan),
    grantLimits: grantLimitsFor(decoded.plan.domains),
    movesCpus: movesCpus(decoded.plan),
  };
  const xenWords = [...xenOptions(image.length, setting), ...options.xenOption];
  guarded(() => xenCommandLine(xenWords));
  const parts = { image, bootDomain, policy, xenOptions: xenWords };
  return { ...parts, xen, architecture, board, earlier };
}

/** Reads what set-up makes. */
async function readBuilt(what: string, path: string, xen: XenVersion): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch {
    const variable = xen === defaultXen ? "" : "DOMB_XEN_UPSTREAM=<archive of upstream's Xen> ";
    const fix = `Run: ${variable}npm run build`;
    throw new CommandError("DOMB6004", `${what} (${path}) is missing`, fix);
  }
}

async function filesOf(
  launch: Launch,
  signer: Signer | undefined,
  options: MediaOptions,
  signal: AbortSignal,
): Promise<readonly MediumFile[]> {
  const { xen, architecture, board } = launch;
  if (signer !== undefined) await readKeys(signer);
  if (kindOf(options) !== "efi") {
    const hypervisor = await readBuilt("Xen", paths.xen(xen, architecture), xen);
    if (board === undefined) return grubFiles(hypervisor, launch, launch.earlier);
    if (signer === undefined) return ubootFiles(hypervisor, board, launch, signal);
    return fitFiles(hypervisor, board, launch, signer, signal);
  }
  const xenEfi = await readBuilt("Xen for EFI firmware", paths.xenEfi(xen, architecture), xen);
  const unified = await makeUnifiedXen(xenEfi, launch, { boardTree: board?.bytes, signal });
  const bytes = signer === undefined ? unified : await signProgram(unified, signer, signal);
  return [{ path: efiPaths[architecture], bytes }];
}

/** Sees early that key and certificate can be read and belong together. */
async function readKeys(signer: Signer): Promise<void> {
  for (const path of Object.values(signer)) await readBytes(path);
  await readSigner(signer);
}

async function place(
  folder: string,
  files: readonly MediumFile[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await placeFiles(folder, files, signal);
  } catch (error) {
    const { code, path = folder } = error as NodeJS.ErrnoException;
    if (signal.aborted || code === undefined) throw error;
    const fix = "Give a folder that this user may write to with --output.";
    throw new CommandError("DOMB6003", `${path} can't be written (${code})`, fix);
  }
}
