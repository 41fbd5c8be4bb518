// SPDX-License-Identifier: Apache-2.0
// What a launch does, read from Xen's log line by line: a state machine without clock or files.
// It trusts lines of Xen and of the boot domain alone for how the launch went; a domain's lines
// count for that domain only.

import { BOOT_DOMID } from "../contract/limits.js";
import { LaunchStatus } from "../contract/receipt.js";
import {
  type DomainReceipt,
  type DomainStateName,
  launchStatusName,
  parseReceiptLines,
  type Receipt,
  type ReceiptPart,
  receiptLines,
} from "../xen-model/receipt.js";
import { parseLogLine, readFrequency } from "./xen-log.js";

/** A domain that the launch is to start. */
export interface ExpectedDomain {
  readonly name: string;
  readonly domid: number;
  /** Texts to wait for in its output, all of them. */
  readonly until: readonly string[];
  /** Whether the recovery plan makes it, and not the main one. */
  readonly recovery?: boolean;
}

/** Something worth showing while the launch runs. Times are nanoseconds since Xen's first line. */
export interface TimelineEvent {
  readonly atNs: number;
  readonly text: string;
  readonly domain?: string;
}

/** What is known of one domain; what the receipt tells is null without one. */
export interface ObservedDomain {
  readonly name: string;
  readonly domid: number;
  /** What became of it during the launch. */
  state: DomainStateName | null;
  /** Why it failed, in the words of the contract; null: it did not. */
  failure: string | null;
  startedAtNs: number | null;
  readyAtNs: number | null;
  markerAtNs: number | null;
}

/** How the launch ended. */
export interface Ending {
  readonly status: "success" | "recovered" | "failed" | "died";
  /** One sentence. */
  readonly reason: string;
}

const exitLine =
  /^Exit Boot Services: launch status (\d+), step (\d+), operation (\d+), domain (\d+), error (-?\d+)$/;
const lostLine =
  /^Exit Boot Services: boot domain ended without a launch status \(shutdown reason (\d+)\)$/;
const destroyedLine = /^Boot domain destroyed: (\d+) pages returned, \d+ pages free$/;
/** domain_crash() and hvm_triple_fault(), xen/common/domain.c and xen/arch/x86/hvm/hvm.c. */
const crashLine = /^(?:Domain (\d+) \(vcpu#\d+\) crashed on cpu#|d(\d+)v\d+ Triple fault)/;

/** Whether the launch has gone on without the domain. */
function isLost({ state }: DomainReceipt): boolean {
  return state === "failed" || state === "skipped";
}

/** Which domain a launch went on without, and why. */
function lossOf({ name, state, status }: DomainReceipt): string {
  return `${name} (${state === "failed" ? launchStatusName(status) : state})`;
}

/** How a plan failed, and by which domain if it was by one. */
function failureOf({ status, domain, domains }: ReceiptPart): string {
  const name = domains[domain - 1]?.name;
  return `${launchStatusName(status)}${name === undefined ? "" : `: ${name}`}`;
}

export class LaunchObserver {
  readonly #domains: readonly (ObservedDomain & { readonly recovery: boolean })[];
  /** Launch status as Xen printed it; null until then, or if the boot domain gave none. */
  launchStatus: number | null = null;
  /** Pages that the boot domain's destruction gave back; null until then. */
  pagesReturned: number | null = null;
  /** The boot domain's receipt, once it is whole. */
  receipt: Receipt | undefined;
  /** Lines of the boot domain: its receipt, as it prints it. */
  readonly receiptLines: string[] = [];

  /** Texts that have not come yet, by domid; no entry: nothing is awaited of that domain. */
  readonly #untils: ReadonlyMap<number, Set<string>>;
  /** Domids of domains that crashed. */
  readonly #crashed = new Set<number>();
  readonly #countsNanoseconds: boolean;
  #firstTicks: number | undefined;
  #megahertz = 1000;
  /** Host's counter when the receipt was written, to place the boot domain's clock. */
  #receiptTicks: number | undefined;
  #exitReason: string | undefined;
  /** What Xen panicked of; empty until the line that says it. */
  #panic: string | undefined;

  /**
   * `countsNanoseconds`: the host's counter counts virtual nanoseconds; otherwise its frequency is
   * the one that Xen prints.
   */
  constructor(expected: readonly ExpectedDomain[], countsNanoseconds: boolean) {
    this.#domains = expected.map(({ name, domid, recovery = false }) => ({
      name,
      domid,
      recovery,
      ...{ state: null, failure: null },
      ...{ startedAtNs: null, readyAtNs: null, markerAtNs: null },
    }));
    this.#untils = new Map(
      expected.flatMap(({ domid, until }) => (until.length === 0 ? [] : [[domid, new Set(until)]])),
    );
    this.#countsNanoseconds = countsNanoseconds;
  }

  /** Why the recovery plan ran in place of the main one, a LaunchStatus; 0: it did not. */
  get recoveredFrom(): number {
    return this.receipt?.main?.status ?? 0;
  }

  /** The domains of the plan that ran: the main one, as long as nothing else is known. */
  get domains(): readonly ObservedDomain[] {
    const recovered = this.receipt?.main !== undefined;
    return this.#domains
      .filter(({ recovery }) => recovery === recovered)
      .map(({ recovery: _, ...domain }) => domain);
  }

  /** Takes in one line of the serial port; returns what it tells. */
  observe(line: string): TimelineEvent[] {
    const parsed = parseLogLine(line);
    if (parsed === undefined) return [];
    this.#firstTicks ??= parsed.ticks;
    const atNs = this.#nanoseconds(parsed.ticks);
    if (parsed.from === "xen") return this.#observeXen(parsed.text, atNs);
    const { domid } = parsed.from;
    if (domid === BOOT_DOMID) return this.#observeReceipt(parsed.text, parsed.ticks, atNs);
    return this.#observeDomain(domid, parsed.text, atNs);
  }

  /** How the launch ended, once it has: then nothing more is to come that is waited for. */
  ending(): Ending | undefined {
    if (this.#panic) {
      return { status: "died", reason: `Xen panicked: ${this.#panic}` };
    }
    if (this.pagesReturned === null) return undefined;
    if (this.launchStatus !== LaunchStatus.success) {
      return { status: "failed", reason: this.#exitReason ?? "the boot domain ended" };
    }
    const awaited = this.awaited();
    const crashed = this.domains.find(
      ({ name, domid }) => this.#crashed.has(domid) && awaited.includes(name),
    );
    if (crashed !== undefined) {
      return { status: "failed", reason: `${crashed.name} crashed before what was awaited of it` };
    }
    if (awaited.length > 0) return undefined;
    const main = this.receipt?.main;
    if (main !== undefined) {
      const reason = `the main plan failed (${failureOf(main)}); the recovery plan's domains are up`;
      return { status: "recovered", reason };
    }
    const lost = (this.receipt?.domains ?? []).filter(isLost).map(lossOf).join(", ");
    const reason =
      lost === ""
        ? "every domain is up, and the boot domain is gone"
        : `the launch went on without ${lost}; every other domain is up, and the boot domain is gone`;
    return { status: "success", reason };
  }

  /** Names of the domains whose text has not come yet, and can still come. */
  awaited(): string[] {
    return this.domains
      .filter(({ domid, markerAtNs }) => this.#untils.has(domid) && markerAtNs === null)
      .filter(({ state }) => state === null || state === "started")
      .map(({ name }) => name);
  }

  #nanoseconds(ticks: number): number {
    const since = ticks - (this.#firstTicks ?? ticks);
    return this.#countsNanoseconds ? since : Math.round((since * 1000) / this.#megahertz);
  }

  #observeXen(text: string, atNs: number): TimelineEvent[] {
    this.#megahertz = readFrequency(text) ?? this.#megahertz;

    if (text.startsWith("*** Building boot domain")) {
      return [{ atNs, text: "Xen builds the boot domain" }];
    }
    const exit = exitLine.exec(text);
    if (exit !== null) {
      const [status = 0, step, operation, domain, error] = exit.slice(1).map(Number);
      this.launchStatus = status;
      const name = launchStatusName(status);
      const where = `step ${step}, operation ${operation}, domain ${domain}, error ${error}`;
      this.#exitReason = `launch status ${name}: ${where}`;
      const success = status === LaunchStatus.success;
      return [{ atNs, text: success ? "the boot domain exits: success" : this.#exitReason }];
    }
    const lost = lostLine.exec(text);
    if (lost !== null) {
      this.#exitReason = `the boot domain ended without a launch status (reason ${lost[1]})`;
      return [{ atNs, text: this.#exitReason }];
    }
    const destroyed = destroyedLine.exec(text);
    if (destroyed !== null) {
      this.pagesReturned = Number(destroyed[1]);
      return [{ atNs, text: `the boot domain is gone: ${this.pagesReturned} pages returned` }];
    }
    const crash = crashLine.exec(text);
    if (crash !== null) return this.#observeCrash(Number(crash[1] ?? crash[2]), atNs);
    if (text.startsWith("Panic on CPU")) this.#panic = "";
    else if (this.#panic === "") this.#panic = text;
    return [];
  }

  #observeReceipt(text: string, ticks: number, atNs: number): TimelineEvent[] {
    this.receiptLines.push(text);
    this.#receiptTicks ??= ticks;
    const domain = receiptLines.domain.exec(text)?.groups;
    if (domain !== undefined) {
      const { name = "", state = "", status } = domain;
      const failure = Number(status) === 0 ? "" : ` (${launchStatusName(Number(status))})`;
      return [{ atNs, domain: name, text: `${state}${failure}` }];
    }
    if (!receiptLines.launch.test(text)) return [];
    this.receipt = parseReceiptLines(this.receiptLines);
    if (this.receipt !== undefined) this.#takeIn(this.receipt);
    this.#receiptTicks = undefined;
    const main = this.receipt?.main;
    if (main === undefined) return [];
    return [{ atNs, text: `the main plan failed (${failureOf(main)}): recovery ran` }];
  }

  /**
   * What the receipt's last part says of its domains. The boot domain's clock has another origin;
   * the part ended when its first line began.
   */
  #takeIn(part: Receipt): void {
    const origin = (this.#receiptTicks ?? 0) - part.endedAt;
    const place = (ticks: number) => (ticks === 0 ? null : this.#nanoseconds(ticks + origin));
    for (const told of part.domains) {
      const recovery = part.main !== undefined;
      const domain = this.#domains.find(
        (one) => one.name === told.name && one.recovery === recovery,
      );
      if (domain === undefined) continue;
      domain.state = told.state;
      domain.failure = told.status === 0 ? null : launchStatusName(told.status);
      domain.startedAtNs = place(told.startedAt);
      domain.readyAtNs = place(told.readyAt);
    }
  }

  #find(domid: number): ObservedDomain | undefined {
    return this.#domains.find((candidate) => candidate.domid === domid);
  }

  #observeDomain(domid: number, text: string, atNs: number): TimelineEvent[] {
    const domain = this.#find(domid);
    if (domain === undefined || domain.markerAtNs !== null) return [];
    const awaited = this.#untils.get(domid) ?? new Set();
    const said = [...awaited].filter((until) => text.includes(until));
    for (const until of said) awaited.delete(until);
    if (said.length > 0 && awaited.size === 0) domain.markerAtNs = atNs;
    return said.map((until) => ({ atNs, domain: domain.name, text: `says: ${until}` }));
  }

  #observeCrash(domid: number, atNs: number): TimelineEvent[] {
    const domain = this.#find(domid);
    if (domain === undefined) return [];
    this.#crashed.add(domid);
    return [{ atNs, domain: domain.name, text: "crashed" }];
  }
}
