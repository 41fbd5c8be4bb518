// SPDX-License-Identifier: Apache-2.0
// What a launch does, read from Xen's log line by line: a state machine without clock or files.
// It trusts lines of Xen and of the boot domain alone for how the launch went; a domain's lines
// count for that domain only.

import { BOOT_DOMID } from "../contract/limits.js";
import { LaunchStatus } from "../contract/receipt.js";
import { type DomainStateName, launchStatusName, receiptLines } from "../xen-model/receipt.js";
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

/** What is known of one domain. */
export interface ObservedDomain {
  readonly name: string;
  readonly domid: number;
  startedAtNs: number | null;
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

export class LaunchObserver {
  readonly #domains: readonly (ObservedDomain & { readonly recovery: boolean })[];
  /** Launch status as Xen printed it; null until then, or if the boot domain gave none. */
  launchStatus: number | null = null;
  /** Pages that the boot domain's destruction gave back; null until then. */
  pagesReturned: number | null = null;
  /** Of the receipt: the trusted key that signed the plan, from 1, or 0; null until then. */
  verifiedBy: number | null = null;
  launchVersion: number | null = null;
  /** Why the recovery plan ran in place of the main one, a LaunchStatus; 0: it did not. */
  recoveredFrom = 0;
  /** Lines of the boot domain: its receipt, as it prints it. */
  readonly receiptLines: string[] = [];

  /** Texts that have not come yet, by domid; no entry: nothing is awaited of that domain. */
  readonly #untils: ReadonlyMap<number, Set<string>>;
  /** Domids of domains that crashed. */
  readonly #crashed = new Set<number>();
  readonly #countsNanoseconds: boolean;
  readonly #startedTicks = new Map<string, number>();
  /** What the receipt says became of each domain. */
  readonly #states = new Map<string, DomainStateName>();
  /** Statuses of the receipt's parts. */
  readonly #statuses: number[] = [];
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
      startedAtNs: null,
      markerAtNs: null,
    }));
    this.#untils = new Map(
      expected.flatMap(({ domid, until }) => (until.length === 0 ? [] : [[domid, new Set(until)]])),
    );
    this.#countsNanoseconds = countsNanoseconds;
  }

  /** The domains of the plan that ran: the main one, as long as nothing else is known. */
  get domains(): readonly ObservedDomain[] {
    const recovered = this.recoveredFrom !== 0;
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
    if (this.recoveredFrom !== 0) {
      const refusal = launchStatusName(this.recoveredFrom);
      const reason = `the main plan failed (${refusal}); the recovery plan's domains are up`;
      return { status: "recovered", reason };
    }
    return { status: "success", reason: "every domain is up, and the boot domain is gone" };
  }

  /** Names of the domains whose text has not come yet, and can still come. */
  awaited(): string[] {
    return this.domains
      .filter(({ domid, markerAtNs }) => this.#untils.has(domid) && markerAtNs === null)
      .filter(({ name }) => (this.#states.get(name) ?? "started") === "started")
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
      const { name = "", state = "", times = "" } = domain;
      const started = Number(times.split(" ")[1]);
      if (started !== 0) this.#startedTicks.set(name, started);
      this.#states.set(name, state as DomainStateName);
      return [{ atNs, domain: name, text: state }];
    }
    const plan = receiptLines.plan.exec(text)?.groups;
    if (plan !== undefined) {
      this.verifiedBy = Number(plan.verifiedBy);
      this.launchVersion = Number(plan.launchVersion);
      return [];
    }
    const launch = receiptLines.launch.exec(text)?.groups;
    if (launch === undefined) return [];
    this.#placeStarts(Number(launch.times?.split(" ")[1]));
    this.#receiptTicks = undefined;
    const [failed] = this.#statuses;
    this.#statuses.push(Number(launch.status));
    if (failed === undefined) return [];
    this.recoveredFrom = failed;
    return [{ atNs, text: `the main plan failed (${launchStatusName(failed)}): recovery ran` }];
  }

  /** The boot domain's clock has another origin; its receipt ended when its first line began. */
  #placeStarts(endedTicks: number): void {
    const origin = (this.#receiptTicks ?? 0) - endedTicks;
    for (const domain of this.#domains) {
      const started = this.#startedTicks.get(domain.name);
      if (started !== undefined) domain.startedAtNs = this.#nanoseconds(started + origin);
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
