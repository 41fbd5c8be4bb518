// SPDX-License-Identifier: Apache-2.0
// What an import gives: a launch description, and of each key of the imported set-up what became
// of it. No key is left out of the report.

import { Document, isScalar } from "yaml";
import { DOMAIN_NAME_PATTERN, FORMAT_VERSION, MAX_NAME_LENGTH } from "../description/limits.js";
import { readDescription } from "../description/load-description.js";
import type { Diagnostic, Place, Result } from "../diagnostics/diagnostic.js";
import { importRules } from "./rules.js";

/** Kept as it is, changed into something else, or not part of the launch. */
export type Treatment = "kept" | "changed" | "dropped";

/** What becomes of a key wherever it stands. */
export interface KeyRule {
  readonly treatment: Treatment;
  /** What it becomes, or why nothing: a part of a sentence. */
  readonly because: string;
}

export type KeyTable = Readonly<Record<string, KeyRule>>;

/** What became of one key. */
export interface ImportedKey extends KeyRule {
  /** The node or the line in which it stands. */
  readonly where: string;
  readonly key: string;
  /** As a person would write it, perhaps cut short. */
  readonly value: string;
}

/** A file that the set-up does not name. */
export interface UnknownFile {
  /** Keys from the description's top. */
  readonly path: readonly string[];
  /** What the description says for now; there is no such file. */
  readonly placeholder: string;
  readonly whatItIs: string;
}

export interface ImportedDomain {
  readonly kernel: string;
  readonly ramdisk?: string | undefined;
  readonly cmdline?: string | undefined;
  readonly memory: string;
  readonly vcpus: number;
  readonly domid?: number | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly output?: "xen-log" | undefined;
}

export interface ImportedLaunch {
  /** The board's device tree. */
  readonly board?: string | undefined;
  /** The FLASK policy. */
  readonly xsm?: string | undefined;
  /** By name, in the order in which they start. */
  readonly domains: ReadonlyMap<string, ImportedDomain>;
}

export interface Import {
  /** The launch description, in YAML. */
  readonly description: string;
  readonly keys: readonly ImportedKey[];
  /** Options that Xen was given and still needs, on one line; undefined when there were none. */
  readonly xenOptions: string | undefined;
  readonly unknownFiles: readonly UnknownFile[];
}

/** Characters of a value that a report shows. */
const SHOWN_VALUE = 60;

/** Gathers what an importer says. */
export class Report {
  readonly keys: ImportedKey[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly unknownFiles: UnknownFile[] = [];
  xenOptions: string | undefined;

  /** A key and what became of it. */
  say(where: string, key: string, value: string, rule: KeyRule): void {
    const shown = value.length > SHOWN_VALUE ? `${value.slice(0, SHOWN_VALUE - 1)}…` : value;
    const { treatment, because } = rule;
    this.keys.push({ where, key, value: shown, treatment, because });
  }

  /** A key that no table has. */
  sayUnknown(where: string, key: string, value: string, place: Place): void {
    this.say(where, key, value, { treatment: "dropped", because: "domb does not know it" });
    this.diagnose("DOMB1502", place, `${key} of ${where} is unknown, and dropped`, {
      fix: "Look up what it does, and whether the launch is right without.",
    });
  }

  diagnose(
    code: Parameters<typeof importRules.diagnose>[0],
    place: Place,
    message: string,
    { fix }: { readonly fix: string },
  ): void {
    this.diagnostics.push(importRules.diagnose(code, { place, message, fix }));
  }

  /** A domain's name that a description may have, told where it differs. */
  domainName(where: string, name: string, taken: ReadonlyMap<string, unknown>): string {
    const valid = freeName(name, taken);
    const rule: KeyRule =
      valid === name
        ? { treatment: "kept", because: `domains.${valid}` }
        : {
            treatment: "changed",
            because: `domains.${valid}: names are unique, of few characters`,
          };
    this.say(where, "(name)", name, rule);
    return valid;
  }

  /** The import, or what is wrong with it: also what a check of the description says. */
  result(launch: ImportedLaunch, source: Place): Result<Import> {
    if (launch.domains.size === 0 && !this.#failed()) {
      this.diagnose("DOMB1504", source, "the set-up starts no domain beside dom0; wanted: one", {
        fix: "Import a set-up with domains, or write a description with `domb init`.",
      });
    }
    if (this.#failed()) return { ok: false, diagnostics: this.diagnostics };
    const description = descriptionText(launch, this.unknownFiles);
    this.diagnostics.push(...faultsOf(description, source));
    if (this.#failed()) return { ok: false, diagnostics: this.diagnostics };
    const { keys, xenOptions, unknownFiles, diagnostics } = this;
    return { ok: true, value: { description, keys, xenOptions, unknownFiles }, diagnostics };
  }

  #failed(): boolean {
    return this.diagnostics.some(({ severity }) => severity === "error");
  }
}

/** Codes of what a description may say already, though this domb does not act on it. */
const notYet = new Set(["DOMB1012", "DOMB1015"]);

/** What is wrong with the description: told of the imported set-up, as the text is written nowhere. */
function faultsOf(description: string, { file }: Place): readonly Diagnostic[] {
  return readDescription(description, "")
    .diagnostics.filter(({ code }) => !notYet.has(code))
    .map((diagnostic) => {
      const { path } = diagnostic.place;
      const place = { ...(file === undefined ? {} : { file }), ...(path ? { path } : {}) };
      return { ...diagnostic, place, related: [] };
    });
}

function freeName(name: string, taken: ReadonlyMap<string, unknown>): string {
  const letters = name.replaceAll(/[^A-Za-z0-9._-]/g, "-").replace(/^[^A-Za-z]+/, "");
  const whole = (letters === "" ? "domain" : letters).slice(0, MAX_NAME_LENGTH);
  if (!DOMAIN_NAME_PATTERN.test(whole)) throw new Error(`${JSON.stringify(whole)} is no name`);
  for (let count = 2, free = whole; ; count++) {
    if (!taken.has(free)) return free;
    free = `${whole.slice(0, MAX_NAME_LENGTH - String(count).length - 1)}-${count}`;
  }
}

function descriptionText(launch: ImportedLaunch, unknown: readonly UnknownFile[]): string {
  const { board, xsm, domains } = launch;
  const document = new Document({
    domb: FORMAT_VERSION,
    arch: "arm64",
    ...(board === undefined ? {} : { host: { board } }),
    ...(xsm === undefined ? {} : { policy: { xsm } }),
    domains,
  });
  document.commentBefore = " Imported by `domb import`. Paths are relative to this file.";
  for (const { path, whatItIs } of unknown) {
    const value = document.getIn(path, true);
    if (isScalar(value)) value.comment = ` fill in: ${whatItIs}`;
  }
  return document.toString({ lineWidth: 0 });
}

/** Capabilities of a domain in Xen's device tree, as bits. */
const CONTROL = 1;
const HARDWARE = 2;
const XENSTORE = 4;

/** The roles that stand for Xen's capabilities, and what is to be said of them. */
export function rolesOfCapabilities(bits: number): {
  readonly roles: readonly string[];
  readonly rule: KeyRule;
} {
  const roles = [
    ...((bits & CONTROL) !== 0 ? ["control"] : []),
    ...((bits & XENSTORE) !== 0 ? ["xenstore"] : []),
  ];
  const kept = roles.length === 0 ? "none" : `roles: [${roles.join(", ")}]`;
  const hardware = (bits & HARDWARE) !== 0;
  const because = hardware ? `${kept}; domb gives the hardware to no domain` : kept;
  return {
    roles,
    rule: { treatment: hardware && roles.length === 0 ? "dropped" : "changed", because },
  };
}

/** Options for Xen without those that are of dom0, which is not there; undefined if none is left. */
export function withoutDom0(options: string): string | undefined {
  const left = options
    .split(/\s+/)
    .filter((option) => option !== "" && !/^dom0\b|^dom0_/.test(option));
  return left.length === 0 ? undefined : left.join(" ");
}
