// SPDX-License-Identifier: Apache-2.0
// From a file, or an object, to a launch description that is right, or to all that is wrong with
// it, in the order of the file. Kernels and ramdisks are named here, not opened.

import { dirname, resolve } from "node:path";
import type { Diagnostic, Result } from "../diagnostics/diagnostic.js";
import { readPlainFile } from "../materials/read-files.js";
import { RECOVERY_ROLE } from "../plan/roles.js";
import { checkBetweenDomains } from "./between-domains.js";
import type { DomainDescription, LaunchDescription, Link, Readiness } from "./description.js";
import { durationMilliseconds } from "./duration.js";
import { DEFAULT_READY_MS, FIRST_POOL, MAX_DESCRIPTION_BYTES } from "./limits.js";
import { objectPlaces, type Places } from "./places.js";
import { MODULE_NAME, readModule } from "./read-module.js";
import { leavesUnread, readYaml } from "./read-yaml.js";
import { descriptionRules } from "./rules.js";
import type { LaunchInput, ParsedLaunch } from "./schema.js";
import { checkShape } from "./shape.js";
import { formatSize, sizeBytes } from "./size.js";

/** Reads the description at `path`: YAML, or a module by its name's ending (.ts, .mts, .js, .mjs). */
export async function loadDescription(path: string): Promise<Result<LaunchDescription>> {
  const text = await readText(path);
  if (!text.ok) return text;
  if (!MODULE_NAME.test(path)) return readDescription(text.value, path);
  const module = await readModule(path);
  return module.ok
    ? checkDescription(module.value, objectPlaces(path), path, dirname(path))
    : { ok: false, diagnostics: [module.diagnostic] };
}

/** Reads a description's YAML text; `source` is the file's name, to which its paths are relative. */
export function readDescription(text: string, source: string): Result<LaunchDescription> {
  const { content, places, diagnostics } = readYaml(text, source);
  if (content === undefined) return { ok: false, diagnostics };
  return checkDescription(content.value, places, source, dirname(source), diagnostics);
}

/** Checks a description made by a program; its paths are relative to `directory`. */
export function describeLaunch(launch: LaunchInput, directory: string): Result<LaunchDescription> {
  return checkDescription(launch, objectPlaces(), "", directory);
}

async function readText(path: string): Promise<Result<string>> {
  let bytes: Uint8Array;
  try {
    bytes = await readPlainFile(path);
  } catch (error) {
    return failed(unreadable(path, (error as NodeJS.ErrnoException).code ?? String(error)));
  }
  const refuse = (what: string) =>
    failed(
      descriptionRules.diagnose("DOMB1002", {
        place: { file: path },
        message: `the file ${what}; wanted: a launch description in UTF-8 text`,
        fix: "Give a description, such as `domb init` writes; kernels and images are named in it.",
      }),
    );
  if (bytes.length > MAX_DESCRIPTION_BYTES) {
    return refuse(`has more than ${formatSize(MAX_DESCRIPTION_BYTES)}`);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0")
      ? refuse("holds zero bytes")
      : { ok: true, value: text, diagnostics: [] };
  } catch {
    return refuse("is not UTF-8");
  }
}

function failed(diagnostic: Diagnostic): Result<never> {
  return { ok: false, diagnostics: [diagnostic] };
}

function unreadable(path: string, code: string): Diagnostic {
  const reasons: Readonly<Record<string, readonly [string, string]>> = {
    ENOENT: ["there is no such file", "Name another file, or write a first one with `domb init`."],
    EISDIR: ["it is a directory", "Name the file in it, such as launch.yaml."],
    EACCES: ["this user may not read it", "Change its permissions."],
  };
  const [reason, fix] = reasons[code] ?? [`the system says ${code}`, "Name another file."];
  return descriptionRules.diagnose("DOMB1001", {
    place: { file: path },
    message: `the description can't be read: ${reason}`,
    fix,
  });
}

function checkDescription(
  value: unknown,
  places: Places,
  source: string,
  directory: string,
  earlier: readonly Diagnostic[] = [],
): Result<LaunchDescription> {
  const shape = checkShape(value, places);
  const later = [...shape.diagnostics, ...checkBetweenDomains(value, places)];
  // A value that could not be read has its diagnostic; that it is missing then is no second fault.
  const unread = new Set(
    earlier.filter(leavesUnread).map(({ place }) => JSON.stringify(place.path)),
  );
  const diagnostics = [
    ...earlier,
    ...later.filter(({ place }) => !unread.has(JSON.stringify(place.path))),
  ];
  if (shape.launch === undefined || diagnostics.length > 0) {
    return { ok: false, diagnostics: inOrder(diagnostics) };
  }
  const domains = resolveDomains(shape.launch, directory);
  const links = shape.launch.links.map(resolveLink);
  const { arch, host, policy, pools } = shape.launch;
  const launch = {
    ...{ source, domains, links, placeOf: places.ofValue.bind(places) },
    ...(arch === undefined ? {} : { arch }),
    ...(host?.board === undefined ? {} : { board: resolve(directory, host.board) }),
    ...(host?.memory === undefined ? {} : { hostMemoryBytes: sizeBytes(host.memory) }),
    pools: Object.entries(pools).map(([name, pool]) => ({ name, ...pool })),
    ...(policy?.xsm === undefined ? {} : { policy: resolve(directory, policy.xsm) }),
    ...(policy?.verify === undefined ? {} : { verify: policy.verify }),
  };
  return { ok: true, value: launch, diagnostics: [] };
}

/** By place in the file; in the order of finding where there are no lines. */
function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.toSorted(
    (a, b) =>
      (a.place.line ?? 0) - (b.place.line ?? 0) || (a.place.column ?? 0) - (b.place.column ?? 0),
  );
}

function resolveDomains(launch: ParsedLaunch, directory: string): readonly DomainDescription[] {
  const taken = new Set(Object.values(launch.domains).map(({ domid }) => domid));
  let next = 1;
  const free = (): number => {
    while (taken.has(next)) next++;
    return next++;
  };
  return Object.entries(launch.domains).map(([name, domain]) => ({
    name,
    kernel: resolve(directory, domain.kernel),
    ...(domain.ramdisk === undefined ? {} : { ramdisk: resolve(directory, domain.ramdisk) }),
    cmdline: domain.cmdline,
    memoryBytes: sizeBytes(domain.memory),
    vcpus: domain.vcpus,
    ...resolveProcessors(domain),
    type: domain.type,
    domid: domain.domid ?? free(),
    output: domain.output,
    onDeath: domain.onDeath,
    roles: domain.roles.filter((role) => role !== RECOVERY_ROLE),
    recovery: domain.roles.includes(RECOVERY_ROLE),
    ...(domain.label === undefined ? {} : { label: domain.label }),
    after: domain.after,
    ready: resolveReady(domain.ready),
    onFailure: domain.onFailure,
  }));
}

function resolveProcessors({ cpus, pinned, weight, cap, pool }: ParsedLaunch["domains"][string]) {
  return {
    ...(cpus === undefined ? {} : { cpus }),
    ...(pinned ? { pinned } : {}),
    ...(weight === undefined ? {} : { weight }),
    ...(cap === undefined ? {} : { cap }),
    ...(pool === FIRST_POOL ? {} : { pool }),
  };
}

function resolveReady({ when, within }: ParsedLaunch["domains"][string]["ready"]): Readiness {
  if (when === "started") return { when, withinMs: 0 };
  return {
    when,
    withinMs: within === undefined ? DEFAULT_READY_MS : durationMilliseconds(within),
  };
}

function resolveLink(link: ParsedLaunch["links"][number]): Link {
  const { kind, name } = link;
  if (kind === "event-channel") {
    const [first, second] = link.between;
    return { kind, name, first, second };
  }
  const [owner = "", ...writers] = link.writers;
  return { kind, name, bytes: sizeBytes(link.size), owner, writers, readers: link.readers };
}
