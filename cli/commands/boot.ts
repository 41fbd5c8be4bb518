// SPDX-License-Identifier: Apache-2.0
// `domb boot LAUNCH|IMAGE`: boots a launch on real Xen in QEMU, shows what happens as it happens,
// and ends with a table.

import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { formatSize, parseSize } from "../../compiler/description/size.js";
import { decodeImage } from "../../compiler/explain/explain.js";
import type { Verify } from "../../compiler/image/image-header.js";
import { type XenVersion, xenOf } from "../../compiler/image/xen-versions.js";
import { longestWait } from "../../compiler/plan/longest-wait.js";
import type { Plan } from "../../compiler/plan/plan.js";
import { movesCpus } from "../../compiler/plan/processors.js";
import { XEN_DOMCTL_CDF_xen_log } from "../../contract/xen-abi.js";

import {
  type BootOutcome,
  bootLaunch,
  hostCpusOf,
  type TimelineEvent,
  type Until,
} from "../../lab/boot.js";
import { grantLimitsFor } from "../../xen-model/domain-tables.js";

import { bootDomainBytes, hostDemand, xenOptions } from "../../xen-model/memory.js";
import { launchStatusName, parseReceiptLines } from "../../xen-model/receipt.js";
import { formatReceipt } from "../../xen-model/receipt-document.js";
import {
  CommandError,
  checkPolicyOption,
  compileFile,
  EXIT,
  looksLikeImage,
  printJson,
  printText,
  readBytes,
  refusePolicyOption,
  showDiagnostics,
  take,
  xenOption,
} from "../answer.js";
import { addTrustOptions, type TrustOptions, takeSigned, takeTrust } from "../keys.js";
import { makeFolder, writeOutput } from "../output.js";
import { plainTable } from "../plain-table.js";
import { printable } from "../render-diagnostics.js";

const schema = "domb.boot/1";
/** QEMU's own devices and firmware want room beside what the launch needs. */
const leastHostBytes = 512 * 0x100000;

/** Ctrl-C, a supervisor's end, a terminal that is closed. */
const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

interface BootOptions extends TrustOptions {
  readonly until: readonly Until[];
  readonly xen?: XenVersion;
  readonly icount?: boolean;
  readonly hostMemory?: number;
  readonly timeLimit: number;
  readonly outputDirectory?: string;
  readonly xenOption: readonly string[];
  readonly policy?: string;
  readonly receipt?: string;
  readonly json?: boolean;
}

interface BootableDomain {
  readonly name: string;
  /** Whether its output comes to Xen's log. */
  readonly heard: boolean;
}

interface Bootable {
  readonly image: Uint8Array;
  /** The Xen that it is for, as far as that is known. */
  readonly xen?: XenVersion | undefined;
  readonly xenOptions: readonly string[];
  readonly hostBytes: number;
  readonly domains: readonly BootableDomain[];
  readonly policy?: Uint8Array | undefined;
}

function parseUntil(text: string, earlier: readonly Until[]): readonly Until[] {
  const named = /^([A-Za-z][A-Za-z0-9._-]*)=(.+)$/s.exec(text);
  const [, domain, wanted] = named ?? [];
  if (text === "") throw new InvalidArgumentError("Give the text to wait for, or NAME=TEXT.");
  return [
    ...earlier,
    domain === undefined || wanted === undefined ? { text } : { domain, text: wanted },
  ];
}

function parseHostMemory(text: string): number {
  const size = parseSize(text);
  if (!size.ok) throw new InvalidArgumentError("Give a size with its unit, as in '2 GiB'.");
  return size.bytes;
}

function parseTimeLimit(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("Give whole seconds, from 1.");
  return Number(text);
}

export function registerBoot(program: Command): void {
  const command = program
    .command("boot")
    .summary("boot a launch on real Xen in QEMU")
    .description(
      "Boots Xen, the boot domain and a launch in QEMU, and waits until every domain is up.",
    )
    .argument("<launch>", "launch.yaml, launch.ts or a launch image")
    .option(
      "--until <text>",
      "what every domain must write, or NAME=TEXT for one; may be repeated",
      parseUntil,
      [],
    )
    .addOption(xenOption("the Xen to boot (default: the one that an image is for, or 4.17)"))
    .option("--icount", "exact virtual time: two runs give the same nanoseconds")
    .option("--host-memory <size>", "memory of the host", parseHostMemory)
    .option("--time-limit <seconds>", "end after so long", parseTimeLimit, 600)
    .option(
      "--output-dir, --output-directory <directory>",
      "where the outputs go (default: a new one, private)",
    )
    .option("--receipt <file>", "write the receipt, as JSON")
    .option(
      "--xen-option <option>",
      "a further option for Xen; may be repeated",
      (option: string, earlier: readonly string[]) => [...earlier, option],
      [],
    )
    .option("--policy <file>", "FLASK policy for Xen, if an image is for one")
    .option("--json", "print one JSON document");
  addTrustOptions(command)
    .addHelpText(
      "after",
      [
        "\nExamples:",
        "  domb boot examples/two-linux/launch.yaml",
        "  domb boot launch.img --icount --until web='login:'",
        "  domb boot launch.img --trust owner.pub --least-version 2",
      ].join("\n"),
    )
    .action(boot);
}

async function boot(path: string, options: BootOptions): Promise<void> {
  const { json = false, icount = false } = options;
  const trusted = await takeTrust(options, { schema, json });
  if (trusted === undefined) return;
  const bootable = await makeBootable(path, options, trusted.secret !== undefined, json);
  if (bootable === undefined) return;
  const { secret, trust } = trusted;
  const { key } = options;
  const image =
    secret === undefined || key === undefined
      ? bootable.image
      : takeSigned(bootable.image, secret, key, { schema, json });
  if (image === undefined) return;
  checkUntils(options.until, bootable.domains);
  checkVirtualTime(icount, image);
  const { hostMemory = bootable.hostBytes } = options;
  if (hostMemory < bootable.hostBytes) {
    const [given, needed] = [hostMemory, bootable.hostBytes].map(formatSize);
    process.stderr.write(`warning: the host has ${given}, but the launch needs ${needed}\n`);
  }
  const outputDirectory = await makeOutputDirectory(options.outputDirectory);
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  for (const signal of endingSignals) process.on(signal, onInterrupt);
  process.stderr.write(`booting ${path} on Xen in QEMU, some ten seconds to a minute or two\n`);
  const result = await bootLaunch({
    ...{ image, trust },
    ...(bootable.policy === undefined ? {} : { policy: bootable.policy }),
    xen: options.xen ?? bootable.xen,
    icount,
    hostMemoryBytes: options.hostMemory ?? Math.max(bootable.hostBytes, leastHostBytes),
    timeLimitSeconds: options.timeLimit,
    until: options.until,
    outputDirectory,
    xenOptions: [...bootable.xenOptions, ...options.xenOption],
    signal: interrupt.signal,
    onEvent: showEvent,
  }).finally(() => {
    for (const signal of endingSignals) process.off(signal, onInterrupt);
  });
  if (!result.ok) {
    // Nothing was booted; a folder that is in use already stays.
    if (options.outputDirectory === undefined) await rmdir(outputDirectory);
    throw new CommandError("DOMB6004", `${result.lacking} is missing`, `Run: ${result.fix}`);
  }
  const { outcome } = result;
  if (options.receipt !== undefined) {
    const receipt = parseReceiptLines(outcome.receiptLines);
    if (receipt === undefined) {
      process.stderr.write("warning: the boot domain has written no receipt\n");
    } else {
      const document = Buffer.from(formatReceipt(receipt));
      await writeOutput(options.receipt, document, [path], "--receipt");
    }
  }
  if (outcome.status === "interrupted") process.exitCode = EXIT.interrupted;
  else if (outcome.status !== "success") process.exitCode = EXIT.launchFailed;
  if (json) {
    process.stderr.write(`${outcome.status}: ${printable(outcome.reason)}\n`);
    printJson(schema, document(outcome));
  } else {
    printText(outcomeText(outcome));
  }
}

/** QEMU's virtual time stands still where a host has several CPUs. */
function checkVirtualTime(icount: boolean, image: Uint8Array): void {
  const cpus = hostCpusOf(image);
  if (!icount || cpus === 1) return;
  const message = `--icount is for a host with one CPU, and the launch needs ${cpus}`;
  throw new CommandError("DOMB6001", message, "Leave --icount out.");
}

/** What would never come is refused: text of a domain that there is not, or that is not heard. */
function checkUntils(untils: readonly Until[], domains: readonly BootableDomain[]): void {
  const silent = "Give the domain `output: xen-log`, or wait for another.";
  for (const { domain, text } of untils) {
    const named = domains.find(({ name }) => name === domain);
    if (domain !== undefined && named === undefined) {
      const names = domains.map(({ name }) => name).join(", ") || "none that can be read";
      const fix = "Name a domain of the launch, or give the text alone for all of them.";
      throw new CommandError("DOMB6001", `--until names ${domain}; the domains are ${names}`, fix);
    }
    if (named?.heard === false) {
      throw new CommandError(
        "DOMB6001",
        `--until waits for ${domain}, which has no output`,
        silent,
      );
    }
    if (domain === undefined && domains.length > 0 && !domains.some(({ heard }) => heard)) {
      throw new CommandError("DOMB6001", `--until ${text}: no domain has output`, silent);
    }
  }
}

function domainsOf({ domains }: Plan): BootableDomain[] {
  return domains.map(({ name, createFlags }) => ({
    name,
    heard: (createFlags & XEN_DOMCTL_CDF_xen_log) !== 0,
  }));
}

async function makeOutputDirectory(wanted: string | undefined): Promise<string> {
  if (wanted === undefined) return mkdtemp(join(tmpdir(), "domb-boot-"));
  try {
    await makeFolder(wanted);
    return wanted;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const fix = "Give a folder that this user may write to with --output-dir.";
    throw new CommandError("DOMB6003", `${wanted} can't be made a folder (${code})`, fix);
  }
}

async function makeBootable(
  path: string,
  { policy: policyPath, xen, leastVersion }: BootOptions,
  isSigned: boolean,
  json: boolean,
): Promise<Bootable | undefined> {
  const bytes = await readBytes(path);
  if (!looksLikeImage(path, bytes)) {
    refusePolicyOption(path, policyPath);
    const verify: Verify | undefined = isSigned ? "all" : undefined;
    const target = { xen, verify, launchVersion: leastVersion };
    const launch = take(await compileFile(path, target), { schema, json });
    if (launch === undefined) return undefined;
    return {
      image: launch.image,
      xenOptions: launch.xenCommandLine.split(" "),
      hostBytes: launch.demand.totalBytes,
      domains: [
        ...domainsOf(launch.plan),
        ...(launch.recovery ? domainsOf(launch.recovery.plan) : []),
      ],
      policy: launch.policy,
    };
  }
  const policy = policyPath === undefined ? undefined : await readBytes(policyPath);
  const decoded = decodeImage(bytes, { file: path });
  // A damaged image is booted all the same: the boot domain has the last word on it.
  if (!json) showDiagnostics(decoded.diagnostics, { schema, json, ok: decoded.ok });
  if (!decoded.ok) {
    const megabytes = bootDomainBytes(bytes.length) / 0x100000;
    return {
      image: bytes,
      xenOptions: [`boot-domain=${megabytes}M`],
      hostBytes: leastHostBytes + 2 * bytes.length,
      domains: [],
      policy,
    };
  }
  const { header, plan, recovery } = decoded.value;
  const plans = [plan, ...(recovery === undefined ? [] : [recovery.plan])];
  checkPolicyOption(path, plan, policy);
  return {
    image: bytes,
    policy,
    xen: xenOf(header.xenInterface),
    xenOptions: xenOptions(bytes.length, {
      hasPolicy: policy !== undefined,
      waitMs: longestWait(plan),
      grantLimits: grantLimitsFor(plan.domains),
      movesCpus: movesCpus(plan),
    }),
    hostBytes: Math.max(...plans.map((one) => hostDemand(one, bytes.length).totalBytes)),
    domains: plans.flatMap(domainsOf),
  };
}

const seconds = (nanoseconds: number): string => `${(nanoseconds / 1e9).toFixed(6)} s`;

function showEvent({ atNs, domain, text }: TimelineEvent): void {
  const subject = domain === undefined ? "" : `${domain} `;
  process.stderr.write(`${seconds(atNs).padStart(14)}  ${subject}${printable(text)}\n`);
}

/** What scripts read, with these keys and no others. */
function document(outcome: BootOutcome): object {
  const { arch, status, bootDomain, verification, domains, xenLog } = outcome;
  const { exited, status: launchStatus, pagesReturned } = bootDomain;
  return {
    arch,
    status,
    bootDomain: { exited, status: launchStatus, pagesReturned },
    verification: verification ?? null,
    domains: domains.map(
      ({ name, domid, state, failure, startedAtNs, readyAtNs, markerAtNs, output }) => {
        return { name, domid, state, failure, startedAtNs, readyAtNs, markerAtNs, output };
      },
    ),
    xenLog,
  };
}

/** Whether what ran had been signed, as the receipt says. */
function verificationText({ verification }: BootOutcome): string {
  if (verification === undefined) return "unknown: there was no receipt";
  const { verifiedBy, launchVersion } = verification;
  return verifiedBy === 0
    ? "NOT VERIFIED: no trusted key has signed this launch"
    : `launch version ${launchVersion}, signed by trusted key ${verifiedBy}`;
}

function outcomeText(outcome: BootOutcome): string {
  const time = (nanoseconds: number | null): string =>
    nanoseconds === null ? "never" : seconds(nanoseconds);
  const rows = outcome.domains.map((domain) => [
    domain.name,
    String(domain.domid),
    [domain.state ?? "unknown", ...(domain.failure === null ? [] : [domain.failure])].join(": "),
    time(domain.startedAtNs),
    time(domain.readyAtNs),
    time(domain.markerAtNs),
    domain.digest.slice(0, 16),
  ]);
  const { exited, status, pagesReturned } = outcome.bootDomain;
  const launchStatus = status === null ? "no launch status" : launchStatusName(status);
  return [
    "",
    plainTable(
      ["domain", "domid", "state", "started at", "ready at", "marker at", "kernel digest"],
      rows,
    ),
    "",
    exited
      ? `boot domain   gone, ${launchStatus}, ${pagesReturned} pages returned`
      : "boot domain   not gone",
    `verification  ${verificationText(outcome)}`,
    `outputs       ${outcome.domains.map(({ output }) => output).join(" ")}`,
    `Xen's log     ${outcome.xenLog}`,
    `status        ${outcome.status}: ${outcome.reason}`,
    "",
  ].join("\n");
}
