// SPDX-License-Identifier: Apache-2.0
// Boots a launch image on real Xen in QEMU and tells what happened. Ends by itself: with the
// launch, with the time limit, with the caller's signal, or with QEMU. Leaves the log of Xen and
// one file of output for each domain behind, and nothing else.

import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { DOMAIN_NAME_PATTERN } from "../compiler/description/limits.js";
import type { GicVersion } from "../compiler/guest/platform.js";
import { type DecodedPlan, decodePlanAt } from "../compiler/image/decode-image.js";
import { defaultXen, type XenVersion } from "../compiler/image/xen-versions.js";
import { cpusNeeded } from "../compiler/plan/processors.js";
import type { Trust } from "../compiler/signature/sign-image.js";
import { withTrust } from "../compiler/signature/trust.js";
import { MAIN_HEADER, RECOVERY_HEADER } from "../contract/image.js";
import { XEN_DOMCTL_CDF_xen_log } from "../contract/xen-abi.js";
import { type Architecture, paths } from "../setup/paths.js";
import { hostArchitectureOf } from "../simulator/machine.js";
import type { Receipt } from "../xen-model/receipt.js";
import { hosts, logOptions, runHost } from "./host.js";
import { boardFile } from "./host-arm64.js";
import {
  type ExpectedDomain,
  LaunchObserver,
  type ObservedDomain,
  type TimelineEvent,
} from "./launch-observer.js";
import { type BootModule, hostFiles } from "./qemu.js";
import { parseLogLine } from "./xen-log.js";

export type { TimelineEvent } from "./launch-observer.js";

/** What the examples' domains write when they are up. */
export const defaultMarker = "domb: domain is up";

/** A text to wait for: in one domain's output, or in that of every domain that has one. */
export interface Until {
  readonly domain?: string;
  readonly text: string;
}

export interface BootRequest {
  readonly image: Uint8Array;
  /** The Xen to boot, with the boot domain that is made for it; default: Debian's. */
  readonly xen?: XenVersion | undefined;
  /** Whom the boot domain trusts; default: the file as it is built. */
  readonly trust?: Trust | undefined;
  readonly icount: boolean;
  /** An instruction takes 2 to the power of this many nanoseconds then; default: 0. */
  readonly instructionShift?: number;
  readonly hostMemoryBytes: number;
  /** The interrupt controller of an arm64 host; default: that of launches that name no board. */
  readonly gic?: GicVersion;
  readonly timeLimitSeconds: number;
  /** Empty: the examples' marker, in every domain whose output Xen's log shows. */
  readonly until: readonly Until[];
  readonly outputDirectory: string;
  readonly xenOptions: readonly string[];
  /** Further words of QEMU's command line, such as a device. */
  readonly qemuOptions?: readonly string[];
  /** A socket that takes what is typed at the host's serial port. */
  readonly consoleSocket?: string;
  /** A FLASK policy for Xen; `xsm=flask` among the options makes Xen heed it. */
  readonly policy?: Uint8Array;
  /** A socket on which QEMU answers QMP, for tests that look into the host. */
  readonly monitorSocket?: string;
  /** Called when the launch has ended, while the host still runs. */
  readonly beforeEnd?: () => Promise<void>;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TimelineEvent) => void;
  /** Called with each line of Xen's log. */
  readonly onLine?: (line: string) => void;
}

export interface BootedDomain extends Readonly<ObservedDomain> {
  /** Path of the file with its output. */
  readonly output: string;
  /** SHA-256 of its kernel material, hexadecimal; empty if the image does not tell. */
  readonly digest: string;
}

export interface Verification {
  /** Number of the trusted key that signed the plan, from 1; 0: it is not verified. */
  readonly verifiedBy: number;
  readonly launchVersion: number;
  /** Why the recovery plan ran, a LaunchStatus; 0: the main one did. */
  readonly recoveredFrom: number;
}

export interface BootOutcome {
  readonly arch: Architecture;
  readonly status: "success" | "recovered" | "failed" | "timeout" | "interrupted" | "died";
  readonly reason: string;
  readonly bootDomain: {
    readonly exited: boolean;
    readonly status: number | null;
    readonly pagesReturned: number | null;
  };
  /** The boot domain's receipt; undefined: there was none. */
  readonly receipt: Receipt | undefined;
  /** What it says of signatures. */
  readonly verification: Verification | undefined;
  readonly domains: readonly BootedDomain[];
  /** The boot domain's receipt, line by line as it printed it. */
  readonly receiptLines: readonly string[];
  /** Path of the file with all that Xen's serial port printed. */
  readonly xenLog: string;
}

export type BootResult =
  | { readonly ok: true; readonly outcome: BootOutcome }
  | { readonly ok: false; readonly lacking: string; readonly fix: string };

interface ImageDomain extends ExpectedDomain {
  readonly digest: string;
}

/** The domains that an image's plans name; none of a plan too damaged to tell. */
function domainsOf(image: Uint8Array, until: readonly Until[]): ImageDomain[] {
  return [MAIN_HEADER, RECOVERY_HEADER].flatMap((header) => {
    const decoded = decodePlanAt(image, header);
    if (!decoded.ok) return [];
    const recovery = header === RECOVERY_HEADER;
    return domainsOfPlan(decoded.value, until).map((domain) => ({ ...domain, recovery }));
  });
}

function domainsOfPlan({ plan }: DecodedPlan, until: readonly Until[]): ImageDomain[] {
  return plan.domains.map((domain, index) => {
    const hears = (domain.createFlags & XEN_DOMCTL_CDF_xen_log) !== 0;
    const wanted = until.length === 0 ? [{ text: defaultMarker }] : until;
    const texts = wanted
      .filter((one: Until) => one.domain === domain.name || (one.domain === undefined && hears))
      .map(({ text }) => text);
    const kernel = plan.steps
      .filter((step) => step.domain === index)
      .flatMap((step) =>
        plan.operations.slice(step.firstOperation, step.firstOperation + step.operationCount),
      )
      .flatMap((operation) => ("material" in operation ? [plan.materials[operation.material]] : []))
      .find((material) => material?.kind === "kernel");
    return {
      name: domain.name,
      domid: domain.domid,
      until: texts,
      digest: kernel?.digest ?? "",
    };
  });
}

/** Physical CPUs that a host must have for each of the image's plans. */
export function hostCpusOf(image: Uint8Array): number {
  const plans = [MAIN_HEADER, RECOVERY_HEADER].map((header) => decodePlanAt(image, header));
  return Math.max(1, ...plans.map((decoded) => (decoded.ok ? cpusNeeded(decoded.value.plan) : 1)));
}

/** What this machine lacks for a boot, and the command that makes it. */
interface Lack {
  readonly lacking: string;
  readonly fix: string;
}

function lacking(
  { xen = defaultXen, gic }: BootRequest,
  architecture: Architecture,
): Lack | undefined {
  const inPath = (program: string): boolean =>
    (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
  const host = hosts[architecture];
  if (!inPath(host.program)) {
    return { lacking: host.program, fix: `apt-get install ${host.package}` };
  }
  const built = {
    "the patched Xen": paths.xen(xen, architecture),
    "the boot domain": paths.bootDomain(xen, architecture),
    ...(architecture === "arm64" ? { "the board's device tree": boardFile(gic) } : {}),
  };
  const fix =
    xen === defaultXen
      ? "npm run build"
      : "DOMB_XEN_UPSTREAM=<archive of upstream's Xen> npm run build";
  for (const [what, path] of Object.entries(built)) {
    if (!existsSync(path)) return { lacking: `${what} (${path})`, fix };
  }
  return undefined;
}

/** Keeps each line where it belongs: all in xen.log, a domain's also in its own file. */
class Outputs {
  readonly xenLog: string;
  readonly #directory: string;
  readonly #lines = new Map<string, string[]>();
  readonly #domains: ReadonlyMap<number, ExpectedDomain>;

  constructor(directory: string, domains: readonly ExpectedDomain[]) {
    this.#directory = directory;
    this.xenLog = join(directory, "xen.log");
    this.#domains = new Map(domains.map((domain) => [domain.domid, domain]));
    this.#lines.set(this.xenLog, []);
    for (const domain of domains) this.#lines.set(this.pathOf(domain), []);
  }

  /** A name that is no plain one, as an image may have, or that is taken, gives way to the domid. */
  pathOf({ name, domid }: { readonly name: string; readonly domid: number }): string {
    const plain = DOMAIN_NAME_PATTERN.test(name) && name !== "xen" && !/^d\d+$/.test(name);
    return join(this.#directory, `${plain ? name : `d${domid}`}.log`);
  }

  add(line: string): void {
    this.#lines.get(this.xenLog)?.push(line);
    const parsed = parseLogLine(line);
    if (parsed === undefined || parsed.from === "xen") return;
    const { domid } = parsed.from;
    const path = this.pathOf(this.#domains.get(domid) ?? { name: "", domid });
    const lines = this.#lines.get(path) ?? [];
    lines.push(parsed.text);
    this.#lines.set(path, lines);
  }

  async write(): Promise<void> {
    for (const [path, lines] of this.#lines) {
      await writeFile(path, lines.map((line) => `${line}\n`).join(""));
    }
  }
}

/** The boot domain's file, with whom it is to trust. */
async function bootDomainFor(
  { xen = defaultXen, trust }: BootRequest,
  architecture: Architecture,
): Promise<Uint8Array> {
  const built = await readFile(paths.bootDomain(xen, architecture));
  if (trust === undefined || trust.keys.length === 0) return built;
  const trusting = withTrust(built, trust);
  if (!trusting.ok) throw new Error("bug: the built boot domain has no room for keys");
  return trusting.value;
}

interface FilledModule extends BootModule {
  readonly content: Uint8Array;
}

/** Xen finds the policy by its magic number, or its kind; the first of the others is the image. */
async function bootModules(
  request: BootRequest,
  architecture: Architecture,
): Promise<FilledModule[]> {
  const bootDomain = await bootDomainFor(request, architecture);
  const { image, policy } = request;
  return [
    { file: hostFiles.bootDomain, kind: "kernel", content: bootDomain },
    { file: hostFiles.image, kind: "ramdisk", content: image },
    ...(policy ? [{ file: hostFiles.policy, kind: "policy", content: policy } as const] : []),
  ];
}

/** Memory that a host lacks for its boot modules. */
function tooSmall(
  { hostMemoryBytes }: BootRequest,
  architecture: Architecture,
  modules: readonly FilledModule[],
): Lack | undefined {
  const least = hosts[architecture].leastMemoryBytes(modules.map(({ content }) => content.length));
  if (hostMemoryBytes >= least) return undefined;
  const mebibytes = Math.ceil(least / 0x100000);
  const lacking = `memory of the host for the launch image, ${mebibytes} MiB in all,`;
  return { lacking, fix: `domb boot --host-memory "${mebibytes} MiB"` };
}

function verificationOf({ receipt }: LaunchObserver): Verification | undefined {
  if (receipt === undefined) return undefined;
  const { verifiedBy, launchVersion, main } = receipt;
  return { verifiedBy, launchVersion, recoveredFrom: main?.status ?? 0 };
}

/**
 * Boots the image. Names what is missing (QEMU, Xen, the boot domain) with its fix; any other end
 * is an outcome.
 */
export async function bootLaunch(request: BootRequest): Promise<BootResult> {
  const { xen = defaultXen } = request;
  const architecture = hostArchitectureOf(request.image);
  const missing = lacking(request, architecture);
  if (missing !== undefined) return { ok: false, ...missing };
  const modules = await bootModules(request, architecture);
  const small = tooSmall(request, architecture, modules);
  if (small !== undefined) return { ok: false, ...small };

  const domains = domainsOf(request.image, request.until);
  const nanoseconds = request.icount && hosts[architecture].countsNanoseconds;
  const observer = new LaunchObserver(domains, nanoseconds);
  await mkdir(request.outputDirectory, { recursive: true });
  const outputs = new Outputs(request.outputDirectory, domains);
  const directory = await mkdtemp(join(tmpdir(), "domb-boot-"));
  const done = new AbortController();
  const limit = AbortSignal.timeout(request.timeLimitSeconds * 1000);
  const stops = [done.signal, limit, ...(request.signal === undefined ? [] : [request.signal])];
  try {
    await copyFile(paths.xen(xen, architecture), join(directory, hostFiles.xen));
    for (const { file, content } of modules) {
      await writeFile(join(directory, file), content, { mode: 0o600 });
    }
    let ended = false;
    const qemu = await runHost(
      architecture,
      {
        directory,
        xenCommandLine: [...logOptions(architecture), ...request.xenOptions].join(" "),
        memoryBytes: request.hostMemoryBytes,
        moreOptions: request.qemuOptions ?? [],
        cpus: hostCpusOf(request.image),
        icount: request.icount,
        instructionShift: request.instructionShift,
        ...(request.gic === undefined ? {} : { gic: request.gic }),
        modules: modules.map(({ file, kind }) => ({ file, kind })),
        signal: AbortSignal.any(stops),
        ...(request.consoleSocket === undefined ? {} : { consoleSocket: request.consoleSocket }),
        ...(request.monitorSocket === undefined ? {} : { monitorSocket: request.monitorSocket }),
      },
      (line) => {
        outputs.add(line);
        request.onLine?.(line);
        for (const event of observer.observe(line)) request.onEvent?.(event);
        if (ended || observer.ending() === undefined) return;
        ended = true;
        void (request.beforeEnd?.() ?? Promise.resolve()).finally(() => done.abort());
      },
    );
    const outcome = (): Pick<BootOutcome, "status" | "reason"> => {
      const ending = observer.ending();
      if (ending !== undefined) return ending;
      if (request.signal?.aborted) return { status: "interrupted", reason: "interrupted" };
      const waiting = observer.awaited().join(", ") || "the boot domain's exit";
      if (limit.aborted) {
        const seconds = request.timeLimitSeconds;
        return { status: "timeout", reason: `after ${seconds} s still waiting for ${waiting}` };
      }
      const words = qemu.stderr.trim().split("\n").at(-1) ?? "";
      const code = qemu.exitCode === undefined ? "" : ` with exit code ${qemu.exitCode}`;
      return { status: "died", reason: `QEMU ended by itself${code} ${words}`.trim() };
    };
    await outputs.write();
    return {
      ok: true,
      outcome: {
        arch: architecture,
        ...outcome(),
        bootDomain: {
          exited: observer.pagesReturned !== null,
          status: observer.launchStatus,
          pagesReturned: observer.pagesReturned,
        },
        receipt: observer.receipt,
        verification: verificationOf(observer),
        domains: observer.domains.map((domain) => ({
          ...domain,
          output: outputs.pathOf(domain),
          digest: domains.find(({ domid }) => domid === domain.domid)?.digest ?? "",
        })),
        receiptLines: observer.receiptLines,
        xenLog: outputs.xenLog,
      },
    };
  } finally {
    done.abort();
    await rm(directory, { recursive: true, force: true });
  }
}
