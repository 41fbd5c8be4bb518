// SPDX-License-Identifier: Apache-2.0
// What is wrong with one value of a description, told in words: one function per kind of value.
// Each takes any value whatever; undefined in place of a fault means that nothing is wrong.

import {
  LABEL_BYTES,
  MAX_DOMID,
  MAX_MEMORY_PAGES,
  MAX_VCPUS,
  PAGE_SIZE,
} from "../../contract/limits.js";
import { RECOVERY_ROLE, roles } from "../plan/roles.js";
import {
  DOMAIN_NAME_PATTERN,
  FORMAT_VERSION,
  LABEL_PATTERN,
  MAX_COMMAND_LINE_BYTES,
  MAX_HOST_MEMORY_BYTES,
  MAX_NAME_LENGTH,
  TOLD_PREFIX,
} from "./limits.js";
import { nearestName } from "./nearest-name.js";
import type { DescriptionCode } from "./rules.js";
import { formatSize, parseSize, sizeUnits } from "./size.js";

export interface ValueFault {
  readonly code: DescriptionCode;
  /** The key below the value whose value is at fault; absent: the value itself is. */
  readonly key?: string;
  /** The rest of a sentence that begins with the value's name: "is …; wanted: …". */
  readonly predicate: string;
  readonly fix: string;
}

/** A value as a message shows it: short, and on one line. */
export function show(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case "object":
      return "a mapping";
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    default:
      return `a value of type ${typeof value}`;
  }
}

/** Is it what YAML and JSON have keys and values in? */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value that is not there. */
export function missing(wanted: string, example: string): ValueFault {
  const fix = `Add \`${example}\`.`;
  return { code: "DOMB1013", predicate: `is missing; wanted: ${wanted}`, fix };
}

/** A value of a wrong type. */
export function wrongType(value: unknown, wanted: string, fix: string): ValueFault {
  return { code: "DOMB1014", predicate: `is ${show(value)}; wanted: ${wanted}`, fix };
}

/** A value that should be any text, but is none. */
export function notText(value: unknown, wanted: string, example: string): ValueFault {
  if (value === undefined) return missing(wanted, example);
  const quotable = typeof value === "number" || typeof value === "boolean";
  const fix = quotable ? `Put it in quotes: "${value}".` : `Write, for example, \`${example}\`.`;
  return wrongType(value, wanted, fix);
}

/** The version of the format. */
export function formatFault(value: unknown): ValueFault | undefined {
  if (value === FORMAT_VERSION) return undefined;
  const example = `domb: ${FORMAT_VERSION}`;
  const wanted = "the format's version, a number";
  if (value === undefined) return missing(wanted, example);
  if (typeof value !== "number") return wrongType(value, wanted, `Write \`${example}\`.`);
  return {
    code: "DOMB1017",
    predicate: `is ${value}; this domb reads version ${FORMAT_VERSION} of the format only`,
    fix: `Write \`${example}\`, or use the domb that the description was written for.`,
  };
}

/** What is wanted of a size. */
interface SizeLimits {
  /** Key and value, for example. */
  readonly example: string;
  /** Bytes. */
  readonly most: number;
  /** What to do when it is zero. */
  readonly more: string;
}

/** A size of memory. */
export function sizeFault(limits: SizeLimits) {
  const units = Object.keys(sizeUnits).join(", ");
  const example = limits.example.replace(/^.*: /, "");
  return function fault(value: unknown): ValueFault | undefined {
    if (typeof value === "number") return fault(String(value));
    if (typeof value !== "string") return notText(value, "a size with a unit", limits.example);
    const size = parseSize(value);
    if (size.ok) return sizeRangeFault(value, size.bytes, limits);
    switch (size.fault) {
      case "no-unit":
        return {
          code: "DOMB1020",
          predicate: `is ${size.number}, without a unit; wanted: one of ${units}`,
          fix: `Write \`${size.number} MiB\`, if mebibytes are meant.`,
        };
      case "other-unit":
        return {
          code: "DOMB1021",
          predicate: `has the unit "${size.unit}"; wanted: one of ${units}`,
          fix: `Write \`${size.number} ${size.meant}\`, if units of 1024 are meant.`,
        };
      case "malformed":
        return {
          code: "DOMB1022",
          predicate: `is ${show(value)}; wanted: a whole decimal number and one of ${units}`,
          fix: `Write, for example, \`${size.whole ?? example}\`.`,
        };
    }
  };
}

function sizeRangeFault(
  text: string,
  bytes: number,
  { most, more: tooLittle }: SizeLimits,
): ValueFault | undefined {
  if (bytes < 1 || bytes > most) {
    return {
      code: "DOMB1024",
      predicate: `is ${text}; wanted: from ${formatSize(PAGE_SIZE)} to ${formatSize(most)}`,
      fix: bytes < 1 ? tooLittle : "Give it less.",
    };
  }
  if (bytes % PAGE_SIZE === 0) return undefined;
  const more = formatSize(Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE);
  return {
    code: "DOMB1023",
    predicate: `is ${text}; wanted: a multiple of a page, ${formatSize(PAGE_SIZE)}`,
    fix: `Write \`${more}\`.`,
  };
}

/** A domain's memory. */
export const memoryFault = sizeFault({
  example: "memory: 256 MiB",
  most: MAX_MEMORY_PAGES * PAGE_SIZE,
  more: "Give it as much as its kernel and ramdisk need.",
});

/** The host's memory. */
export const hostMemoryFault = sizeFault({
  example: "memory: 2 GiB",
  most: MAX_HOST_MEMORY_BYTES,
  more: "Say how much memory the host has, or leave it out.",
});

/** A fault of a number that is not a whole one from `least` to `most`. */
export function wholeNumberFault(
  value: unknown,
  least: number,
  most: number,
  example: string,
): ValueFault | undefined {
  const wanted = least === most ? String(least) : `a whole number from ${least} to ${most}`;
  const fix = `Write, for example, \`${example}\`.`;
  if (typeof value !== "number") return wrongType(value, wanted, fix);
  const predicate = `is ${value}; wanted: ${wanted}`;
  if (Number.isFinite(value) && !Number.isInteger(value))
    return { code: "DOMB1019", predicate, fix };
  return value >= least && value <= most ? undefined : { code: "DOMB1018", predicate, fix };
}

/** A number of virtual CPUs. */
export function vcpusFault(value: unknown): ValueFault | undefined {
  return wholeNumberFault(value, 1, MAX_VCPUS, "vcpus: 1");
}

/** A domid of an Initial Domain. */
export function domidFault(value: unknown): ValueFault | undefined {
  return wholeNumberFault(value, 0, MAX_DOMID, "domid: 1");
}

/** The list of a domain's roles, of which roleFault() looks at each. */
export function rolesFault(value: unknown): ValueFault | undefined {
  if (Array.isArray(value)) return undefined;
  const example = typeof value === "string" ? `roles: [${value}]` : "roles: [control]";
  return wrongType(value, "a list of roles", `Write, for example, \`${example}\`.`);
}

/** One role. */
export function roleFault(value: unknown): ValueFault | undefined {
  const possible = [...roles.filter((role) => role !== "hardware"), RECOVERY_ROLE];
  if (value !== "hardware") return choiceFault(possible)(value);
  return {
    code: "DOMB1015",
    predicate: 'is "hardware"; not yet: this domb gives the hardware to no domain',
    fix: "Remove it, if the launch is right without.",
  };
}

/** A FLASK label, as far as it can be judged without a policy. */
export function labelFormFault(value: unknown): ValueFault | undefined {
  const example = "label: system_u:system_r:initial_t";
  if (typeof value !== "string") return notText(value, "a FLASK label", example);
  if (LABEL_PATTERN.test(value) && value.length < LABEL_BYTES) return undefined;
  return {
    code: "DOMB1030",
    predicate: `is ${show(value)}; wanted: user:role:type, at most ${LABEL_BYTES - 1} characters`,
    fix: `Write, for example, \`${example}\`.`,
  };
}

/** The security policy. */
export function policyFault(value: unknown): ValueFault | undefined {
  if (isMapping(value)) return undefined;
  const wanted = "a mapping with the keys xsm or verify";
  return wrongType(value, wanted, "Write, for example, `policy: { xsm: ./xenpolicy }`.");
}

/** What the compiler may assume of the host. */
export function hostFault(value: unknown): ValueFault | undefined {
  if (isMapping(value)) return undefined;
  const wanted = "a mapping with keys such as memory";
  return wrongType(value, wanted, "Write, for example, `host: { memory: 2 GiB }`.");
}

/** One of a fixed set of texts. */
export function choiceFault(choices: readonly string[]) {
  return (value: unknown): ValueFault | undefined => {
    const wanted = choices.map((choice) => `"${choice}"`).join(" or ");
    const all = `Write one of: ${choices.join(", ")}.`;
    if (typeof value !== "string") return wrongType(value, wanted, all);
    if (choices.includes(value)) return undefined;
    const near = nearestName(value, choices);
    return {
      code: "DOMB1016",
      predicate: `is ${show(value)}; wanted: ${wanted}`,
      fix: near === undefined ? all : `Write \`${near}\`.`,
    };
  };
}

/** A kind of virtualisation. */
export function typeFault(value: unknown): ValueFault | undefined {
  if (value !== "pv") return choiceFault(["pvh"])(value);
  return {
    code: "DOMB1015",
    predicate: 'is "pv"; not yet: this domb starts PVH domains only',
    fix: "Write `pvh`, or leave it out; the kernel needs a PVH note.",
  };
}

/** The first character that has no place in a line of text: a control, or half of a pair. */
function controlFault(text: string): ValueFault | undefined {
  const found = /[\p{Cc}\p{Cs}]/u.exec(text);
  if (found === null) return undefined;
  const isLineEnd = found[0] === "\n" || found[0] === "\r";
  const number = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const what = isLineEnd ? "a line break" : `U+${number}`;
  return {
    code: "DOMB1026",
    predicate: `holds ${what} after ${found.index} characters; wanted: one line of printable text`,
    fix: isLineEnd ? "Fold the lines with `>-` in place of `|` or `>`." : "Remove it.",
  };
}

/** A kernel's command line. */
export function commandLineFault(value: unknown): ValueFault | undefined {
  if (typeof value !== "string") return notText(value, "text", "cmdline: quiet");
  const bytes = Buffer.byteLength(value);
  if (bytes <= MAX_COMMAND_LINE_BYTES) return controlFault(value) ?? toldFault(value);
  return {
    code: "DOMB1025",
    predicate: `has ${bytes} bytes; wanted: at most ${MAX_COMMAND_LINE_BYTES}`,
    fix: `Shorten it by ${bytes - MAX_COMMAND_LINE_BYTES}.`,
  };
}

/** A word such as those that a domain is told behind its own command line. */
function toldFault(cmdline: string): ValueFault | undefined {
  const word = cmdline.split(" ").find((one) => one.startsWith(TOLD_PREFIX));
  if (word === undefined) return undefined;
  return {
    code: "DOMB1044",
    predicate: `has the word ${show(word)}; wanted: none that begins with ${TOLD_PREFIX}`,
    fix: "Remove it: order and links of the description put such words there.",
  };
}

/** The name of a file, the value of `key`. */
export function fileFault(key: string) {
  return (value: unknown): ValueFault | undefined => {
    const wanted = "the name of a file";
    if (typeof value !== "string") return notText(value, wanted, `${key}: ./file`);
    if (value !== "") return controlFault(value);
    const fix = "Name a file, or remove the key where it is optional.";
    return { code: "DOMB1027", predicate: `is empty; wanted: ${wanted}`, fix };
  };
}

/** The name of a domain. */
export function domainNameFault(name: string): ValueFault | undefined {
  if (DOMAIN_NAME_PATTERN.test(name)) return undefined;
  const length = name.length > MAX_NAME_LENGTH ? `, ${name.length} characters` : "";
  return {
    code: "DOMB1028",
    predicate: `is ${show(name)}${length}; wanted: at most ${MAX_NAME_LENGTH} letters, digits, dots, hyphens and underscores, a letter first`,
    fix: "Choose another name.",
  };
}
