// SPDX-License-Identifier: Apache-2.0
// How every command answers: exit codes, JSON or text, and what stands in the way of a launch.

import { Option } from "commander";
import picocolors from "picocolors";
import { type CompiledLaunch, compileLaunch, fileSystem } from "../compiler/compile.js";
import type { LaunchDescription } from "../compiler/description/description.js";
import { loadDescription } from "../compiler/description/load-description.js";
import type { Diagnostic, Result } from "../compiler/diagnostics/diagnostic.js";
import type { PlanTarget } from "../compiler/image/encode-image.js";
import { xenVersions } from "../compiler/image/xen-versions.js";
import { readPlainFile } from "../compiler/materials/read-files.js";
import type { Plan } from "../compiler/plan/plan.js";
import { IMAGE_MAGIC, ImageHeader } from "../contract/image.js";
import { readFlaskPolicy } from "../xen-model/flask-policy.js";
import { renderDiagnostics } from "./render-diagnostics.js";
import type { CommandCode } from "./rules.js";

/** Exit codes of every command. */
export const EXIT = {
  fine: 0,
  launchFailed: 1,
  badInput: 2,
  environment: 3,
  bug: 4,
  interrupted: 130,
} as const;

/** Something in the way that is no fault of a description: said in one line, with the way out. */
export class CommandError extends Error {
  constructor(
    readonly code: CommandCode,
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }

  get exitCode(): number {
    return this.code === "DOMB6004" ? EXIT.environment : EXIT.badInput;
  }
}

/** Prints a JSON document, the only thing on standard output. */
export function printJson(schema: string, document: object): void {
  process.stdout.write(`${JSON.stringify({ schema, ...document }, null, 2)}\n`);
}

/** Prints text for people. */
export function printText(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Shows diagnostics: as JSON on standard output, or for people on standard error. */
export function showDiagnostics(
  diagnostics: readonly Diagnostic[],
  { schema, json, ok }: { schema: string; json: boolean; ok: boolean },
): void {
  if (json) {
    if (!ok) printJson(schema, { ok, diagnostics });
    return;
  }
  const colour = process.stderr.isTTY === true && picocolors.isColorSupported;
  process.stderr.write(renderDiagnostics(diagnostics, { colour }));
}

/** The value, with its warnings shown; undefined, and the exit code set, if there are errors. */
export function take<T>(result: Result<T>, how: { schema: string; json: boolean }): T | undefined {
  showDiagnostics(result.diagnostics, { ...how, ok: result.ok });
  if (result.ok) return result.value;
  process.exitCode = EXIT.badInput;
  return undefined;
}

/** Which Xen a launch is for. */
export function xenOption(words: string): Option {
  return new Option("--xen <version>", words).choices(xenVersions);
}

/** A launch with the description that it was compiled from. */
export interface DescribedLaunch extends CompiledLaunch {
  readonly description: LaunchDescription;
}

/** Compiles the description in a file. */
export async function compileFile(
  path: string,
  target?: PlanTarget,
): Promise<Result<DescribedLaunch>> {
  const description = await loadDescription(path);
  if (!description.ok) return description;
  const compiled = await compileLaunch(description.value, fileSystem, target);
  const diagnostics = [...description.diagnostics, ...compiled.diagnostics];
  if (!compiled.ok) return { ok: false, diagnostics };
  return { ok: true, value: { ...compiled.value, description: description.value }, diagnostics };
}

/** The bytes of a plain file. Throws a CommandError when it can't be read. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readPlainFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const fix = "Give the path of a file that this user may read.";
    throw new CommandError("DOMB6002", `${path} can't be read (${code})`, fix);
  }
}

/** Whether a file is a launch description, by its name's ending. */
export function isNamedAsDescription(path: string): boolean {
  return /\.(ya?ml|[cm]?[jt]s)$/.test(path);
}

/** Whether a file is a launch image: by its name's ending, or else by its first bytes. */
export function looksLikeImage(path: string, bytes: Uint8Array): boolean {
  // "domb: 1" at a description's very beginning is an image's magic, too.
  if (isNamedAsDescription(path)) return false;
  const begins =
    bytes.length >= ImageHeader.version &&
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(ImageHeader.magic, true) === IMAGE_MAGIC;
  return begins || /\.img$/.test(path);
}

/** A description names its policy itself. */
export function refusePolicyOption(path: string, policy: string | undefined): void {
  if (policy === undefined) return;
  const fix = "Write `policy: { xsm: FILE }` into the description.";
  throw new CommandError("DOMB6001", `--policy is for images, and ${path} is a description`, fix);
}

/** Refuses an image whose policy is not given, and a policy that can't be one. */
export function checkPolicyOption(path: string, plan: Plan, policy: Uint8Array | undefined): void {
  if (policy === undefined) {
    if (plan.policyBytes === 0) return;
    const message = `${path} is for the FLASK policy with SHA-256 ${plan.policyDigest}`;
    throw new CommandError("DOMB6001", message, "Give its file with --policy.");
  }
  const read = readFlaskPolicy(policy);
  if (typeof read !== "string") return;
  const fix = "Name the binary policy, made by `checkpolicy -t Xen`.";
  throw new CommandError("DOMB6001", `--policy names no FLASK policy of Xen's: ${read}`, fix);
}
