// SPDX-License-Identifier: Apache-2.0
// From the configuration of ImageBuilder's uboot-script-gen to a launch description. A later
// assignment to a key replaces an earlier one, and a key of domains without number is of the first,
// as in the shell that ImageBuilder reads it with.

import { MAX_DOMAINS } from "../../contract/limits.js";
import { MAX_DESCRIPTION_BYTES } from "../description/limits.js";
import type { Place, Result } from "../diagnostics/diagnostic.js";
import { domainKeys, hostKeys } from "./image-builder-keys.js";
import {
  type Import,
  type ImportedDomain,
  type KeyRule,
  Report,
  rolesOfCapabilities,
  withoutDom0,
} from "./report.js";
import { type Assignment, readAssignments } from "./shell-assignments.js";

export interface ImageBuilderImport {
  /** The configuration's file, for what is told of it. */
  readonly file: string;
  /** What the description calls a file that the configuration names. */
  readonly nameOf: (file: string) => string;
}

const DEFAULT_MEMORY = "512";
const DEFAULT_COMMAND_LINE = "console=ttyAMA0";
/** More digits can't be a number of what is counted here. */
const NUMBER = /^(0|[1-9][0-9]{0,8})$/;

/** Capabilities by the names that DOMU_CAPS has for them. */
const capabilities: Readonly<Record<string, number>> = {
  control: 1,
  hardware: 2,
  xenstore: 4,
  dom0: 7,
  domain0: 7,
};

/** Turns a configuration into a launch description; `bytes` are the whole file. */
export function importImageBuilder(bytes: Uint8Array, how: ImageBuilderImport): Result<Import> {
  const report = new Report();
  const text = readText(bytes);
  if (text === undefined) {
    const message = `the file is no UTF-8 text of at most ${MAX_DESCRIPTION_BYTES} bytes`;
    report.diagnose("DOMB1503", { file: how.file }, message, {
      fix: "Give the configuration that uboot-script-gen takes with -c.",
    });
    return { ok: false, diagnostics: report.diagnostics };
  }
  const { assignments, diagnostics } = readAssignments(text, how.file);
  // What a faulty line would have set is not missing.
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  return new ConfigurationImporter(how, report, assignments).run();
}

class ConfigurationImporter {
  readonly #how: ImageBuilderImport;
  readonly #report: Report;
  /** Assignments that hold, by key with its number. */
  readonly #settings = new Map<string, Assignment>();
  readonly #domains = new Map<string, ImportedDomain>();

  constructor(how: ImageBuilderImport, report: Report, assignments: readonly Assignment[]) {
    this.#how = how;
    this.#report = report;
    for (const assignment of assignments) {
      const key = keyOf(assignment);
      const earlier = this.#settings.get(key);
      if (earlier !== undefined) {
        const because = `assigned again in ${lineOf(assignment)}`;
        this.#say(earlier, { treatment: "dropped", because });
      }
      // Deleted first, so that the order is that of the assignments that hold.
      this.#settings.delete(key);
      this.#settings.set(key, assignment);
    }
  }

  run(): Result<Import> {
    const count = this.#count();
    this.#hostKeys();
    for (let index = 0; index < count; index++) this.#domain(index);
    this.#domainsNotCounted(count);
    const board = this.#value("DEVICE_TREE");
    const xsm = this.#value("XEN_POLICY");
    const launch = {
      board: board === undefined ? undefined : this.#how.nameOf(board),
      xsm: xsm === undefined ? undefined : this.#how.nameOf(xsm),
      domains: this.#domains,
    };
    return this.#report.result(launch, { file: this.#how.file });
  }

  /** A value that is set and not empty: ImageBuilder tells no other. */
  #value(key: string): string | undefined {
    const value = this.#settings.get(key)?.value;
    return value === "" ? undefined : value;
  }

  #say(assignment: Assignment, rule: KeyRule): void {
    this.#report.say(lineOf(assignment), keyOf(assignment), assignment.value, rule);
  }

  #count(): number {
    const count = this.#number("NUM_DOMUS") ?? 0;
    if (count <= MAX_DOMAINS) return count;
    const message = `NUM_DOMUS is ${count}; wanted: at most ${MAX_DOMAINS}, as many as a launch starts`;
    this.#report.diagnose("DOMB1501", this.#placeOf("NUM_DOMUS"), message, {
      fix: "Start the others from a control domain.",
    });
    return 0;
  }

  #hostKeys(): void {
    for (const assignment of this.#settings.values()) {
      const { name, place } = assignment;
      if (Object.hasOwn(domainKeys, name)) continue;
      const rule = Object.hasOwn(hostKeys, name) ? hostKeys[name] : undefined;
      if (rule !== undefined) this.#say(assignment, rule);
      else this.#report.sayUnknown(lineOf(assignment), keyOf(assignment), assignment.value, place);
    }
    const options = this.#value("XEN_CMD");
    this.#report.xenOptions = options === undefined ? undefined : withoutDom0(options);
    if (this.#value("DOM0_KERNEL") === undefined) return;
    const message = "the set-up has a dom0, and the launch none";
    this.#report.diagnose("DOMB1508", this.#placeOf("DOM0_KERNEL"), message, {
      fix: "Give what it did for others to a domain with `roles`, if any need it.",
    });
  }

  #domain(index: number): void {
    const key = (name: string) => `${name}[${index}]`;
    const isOn = (name: string) => this.#value(key(name)) !== undefined;
    const rulesBy: Record<string, KeyRule> = {};
    if (isOn("DOMU_NOBOOT") || isOn("DOMU_ROOTFS")) {
      this.#settingsOf(index, undefined, {
        treatment: "dropped",
        because: "the domain is not started at boot",
      });
      return;
    }
    const name = this.#report.domainName(key("DOMU"), `domU${index}`, this.#domains);
    const hasConsole = this.#orDefault(key("DOMU_VPL011"), "1") !== "0";
    if (!hasConsole) {
      rulesBy.DOMU_VPL011 = { treatment: "kept", because: "output: none, the default" };
    }
    const roles = this.#roles(key("DOMU_CAPS"));
    if (roles !== undefined) rulesBy.DOMU_CAPS = roles.rule;
    this.#settingsOf(index, rulesBy);

    const kernel = this.#value(key("DOMU_KERNEL"));
    if (kernel === undefined) {
      this.#report.diagnose(
        "DOMB1506",
        this.#placeOf("NUM_DOMUS"),
        `domain ${index} has no kernel`,
        {
          fix: `Set ${key("DOMU_KERNEL")}, or correct NUM_DOMUS.`,
        },
      );
    }
    const memory = this.#number(key("DOMU_MEM"), DEFAULT_MEMORY);
    const vcpus = this.#number(key("DOMU_VCPUS"), "1");
    const domid = isOn("DOMU_DOMID") ? this.#number(key("DOMU_DOMID")) : undefined;
    const cmdline = this.#orDefault(key("DOMU_CMD"), hasConsole ? DEFAULT_COMMAND_LINE : "");
    const ramdisk = this.#value(key("DOMU_RAMDISK"));
    if (kernel === undefined || memory === undefined || vcpus === undefined) return;
    this.#domains.set(name, {
      kernel: this.#how.nameOf(kernel),
      ramdisk: ramdisk === undefined ? undefined : this.#how.nameOf(ramdisk),
      cmdline: cmdline === "" ? undefined : cmdline,
      memory: `${memory} MiB`,
      vcpus,
      domid,
      roles: roles === undefined || roles.roles.length === 0 ? undefined : roles.roles,
      output: hasConsole ? "xen-log" : undefined,
    });
  }

  /** Tells of the keys of one domain, by `all`, by `special`, or by the table. */
  #settingsOf(index: number, special: Readonly<Record<string, KeyRule>> = {}, all?: KeyRule): void {
    for (const assignment of this.#settings.values()) {
      const { name } = assignment;
      if (!Object.hasOwn(domainKeys, name) || domainOf(assignment) !== index) continue;
      const rule = all ?? special[name] ?? domainKeys[name];
      if (rule !== undefined) this.#say(assignment, rule);
    }
  }

  #domainsNotCounted(count: number): void {
    for (const assignment of this.#settings.values()) {
      if (!Object.hasOwn(domainKeys, assignment.name) || domainOf(assignment) < count) continue;
      const because = `NUM_DOMUS is ${count}, so that ImageBuilder does not look at it`;
      this.#say(assignment, { treatment: "dropped", because });
    }
  }

  #roles(key: string): ReturnType<typeof rolesOfCapabilities> | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    let bits = 0;
    for (const word of value.split(/[\s,]+/).filter((part) => part !== "")) {
      const named = Object.hasOwn(capabilities, word) ? capabilities[word] : undefined;
      if (named === undefined && !/^(0x[0-9a-fA-F]|[0-9])$/.test(word)) {
        const names = Object.keys(capabilities).join(", ");
        this.#wrongValue(key, value, `${names}, or a number of one digit`);
        return undefined;
      }
      bits |= named ?? Number(word);
    }
    return rolesOfCapabilities(bits);
  }

  /** A value, or ImageBuilder's own, which is then told of. */
  #orDefault(key: string, otherwise: string): string {
    const value = this.#value(key);
    if (value !== undefined || otherwise === "") return value ?? "";
    const rule: KeyRule = {
      treatment: "kept",
      because: "ImageBuilder's default, as it is not set",
    };
    this.#report.say("(default)", key, otherwise, rule);
    return otherwise;
  }

  /** A whole number; undefined, and told, where it is none. */
  #number(key: string, otherwise = ""): number | undefined {
    const value = this.#orDefault(key, otherwise);
    if (NUMBER.test(value)) return Number(value);
    this.#wrongValue(key, value, "a whole decimal number");
    return undefined;
  }

  #wrongValue(key: string, value: string, wanted: string): void {
    const found = value === "" ? "missing" : JSON.stringify(value);
    this.#report.diagnose("DOMB1501", this.#placeOf(key), `${key} is ${found}; wanted: ${wanted}`, {
      fix: `Write, for example, ${key}=1.`,
    });
  }

  #placeOf(key: string): Place {
    return this.#settings.get(key)?.place ?? { file: this.#how.file };
  }
}

/** The domain whose key this is. */
function domainOf({ index = "0" }: Assignment): number {
  return Number.parseInt(index, 10);
}

/** A key with its number, which a domain's key always has. */
function keyOf(assignment: Assignment): string {
  const { name, index } = assignment;
  if (index === undefined) return Object.hasOwn(domainKeys, name) ? `${name}[0]` : name;
  return `${name}[${index.replace(/^0+(?=[0-9])/, "")}]`;
}

function lineOf({ place }: Assignment): string {
  return `line ${place.line}`;
}

function readText(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_DESCRIPTION_BYTES) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
