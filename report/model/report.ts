// SPDX-License-Identifier: Apache-2.0
// Everything that the picture of a launch shows, as a plain object: `domb report --json` prints it.
// Domains of a run are told by index, from 0, in its `domains`; steps and operations by number, from
// 1, as in the receipt; times are nanoseconds since the boot domain began with the plan.

import { basename } from "node:path";
import {
  type ExplainedDomain,
  type ExplainedMaterial,
  type Explanation,
  explanationOf,
} from "../../compiler/explain/explanation.js";
import type { DecodedImage, DecodedPlan } from "../../compiler/image/decode-image.js";
import { type Privilege, privilegesOfLaunch } from "../../compiler/privileges/privileges.js";
import { LaunchStatus } from "../../contract/receipt.js";
import type { Receipt, ReceiptPart } from "../../xen-model/receipt.js";
import { launchStatusName } from "../../xen-model/receipt.js";
import { type CriticalPath, criticalPathOf } from "./critical-path.js";
import { type Failure, failuresOf } from "./failures.js";
import { type Link, linksOf } from "./links.js";
import { type MemoryMaps, memoryMapsOf } from "./memory-maps.js";
import { type OrderGraph, orderOf } from "./order.js";
import { type DomainFacts, factsOf, type StepFacts } from "./plan-facts.js";
import { type Before, shellWord } from "./repetition.js";
import { type Timeline, timelineOf } from "./timeline.js";
import { type HostCode, type TrustedBase, trustedBasesOf } from "./trusted-base.js";

export type PlanName = "main" | "recovery";

/** The run of one plan. */
export interface Run {
  readonly plan: PlanName;
  readonly planDigest: string;
  /** Name of its LaunchStatus. */
  readonly status: string;
  /** Number of the trusted key that signed the plan, from 1; 0: it was not verified. */
  readonly verifiedBy: number;
  readonly launchVersion: number;
  readonly domains: readonly DomainFacts[];
  readonly steps: readonly Pick<StepFacts, "domain" | "kind" | "guards">[];
  /** What the boot domain's time went into, as far as it measures that itself. */
  readonly spentNs: {
    readonly digest: number;
    readonly populate: number;
    readonly copy: number;
    readonly clear: number;
    readonly wait: number;
    readonly rest: number;
  };
  readonly timeline: Timeline;
  readonly criticalPath: CriticalPath;
  readonly order: OrderGraph;
  readonly failures: readonly Failure[];
}

export interface ReportedMaterial extends ExplainedMaterial {
  readonly plan: PlanName;
}

/** What a domain of the plan that ran last is, as it was described. */
export type ReportedDomain = Pick<
  ExplainedDomain,
  "name" | "domid" | "vcpus" | "memoryBytes" | "roles" | "label" | "output" | "onDeath" | "cmdline"
>;

export interface Report {
  readonly schema: "domb.report/1";
  /** The image, by the name of its file, and what its main plan's header says. */
  readonly image: Explanation["image"] & { readonly file: string };
  /** Where the times come from: a host's receipt, or the simulator's launch of the image. */
  readonly source: "receipt" | "simulator";
  readonly outcome: "success" | "recovered" | "failed";
  /** The main plan's run, then the recovery plan's if it ran. */
  readonly runs: readonly [Run, ...Run[]];
  /** These and what follows: of the plan that ran last. */
  readonly domains: readonly ReportedDomain[];
  readonly memory: MemoryMaps;
  readonly privileges: readonly Privilege[];
  readonly links: readonly Link[];
  readonly trustedBases: readonly TrustedBase[];
  /** Of both plans. */
  readonly materials: readonly ReportedMaterial[];
}

export interface ReportInput {
  /** The image's file, as a command takes it. */
  readonly imageFile: string;
  /** Options that the simulator needs for this image, each a word: keys, its policy. */
  readonly simulatorOptions?: readonly string[];
  readonly image: DecodedImage;
  readonly receipt: Receipt;
  readonly source: Report["source"];
  readonly hostCode: HostCode;
}

export type MadeReport =
  | { readonly ok: true; readonly report: Report }
  | { readonly ok: false; readonly problem: string };

/** A run's receipt with the plan that it is of. */
interface PlanRun {
  readonly plan: PlanName;
  readonly decoded: DecodedPlan;
  readonly part: ReceiptPart;
}

/** The report of a launch of this image; `problem` says why the receipt can't be of it. */
export function reportOf(input: ReportInput): MadeReport {
  const { imageFile, simulatorOptions = [], image, receipt, source, hostCode } = input;
  const runs = runsOf(image, receipt);
  if (typeof runs === "string") return { ok: false, problem: runs };
  const { recovery, ...main } = image;
  const explained = explanationOf(main);
  const explainedRecovery = recovery === undefined ? undefined : explanationOf(recovery);
  const materials = [
    ...explained.materials.map((material) => ({ plan: "main" as const, ...material })),
    ...(explainedRecovery?.materials ?? []).map((material) => ({
      ...{ plan: "recovery" as const, ...material },
    })),
  ];
  const [first, second] = runs;
  const last = second ?? first;
  const explanation = (last.plan === "recovery" ? explainedRecovery : undefined) ?? explained;
  const labels = explanation.domains.flatMap(({ name, label }) =>
    label === "" ? [] : [[name, label] as const],
  );
  // What links allow, is told with them.
  const withoutLinks = explanation.domains.map((domain) => ({ ...domain, links: [] }));
  const links = linksOf(factsOf(last.decoded.plan), explanation.domains);
  const words = [imageFile, ...simulatorOptions].map(shellWord);
  const simulate = ["domb simulate", ...words].join(" ");
  const ofFirst = runOf(first, simulate);
  const ofSecond = second === undefined ? [] : [runOf(second, simulate, ofFirst.after).run];
  const failed = last.part.status !== LaunchStatus.success;
  return {
    ok: true,
    report: {
      schema: "domb.report/1",
      image: { file: basename(imageFile), ...explained.image },
      source,
      outcome: failed ? "failed" : last.plan === "recovery" ? "recovered" : "success",
      runs: [ofFirst.run, ...ofSecond],
      domains: explanation.domains.map(reported),
      memory: memoryMapsOf(explanation),
      privileges: privilegesOfLaunch(withoutLinks, new Map(labels)),
      ...{ links, trustedBases: trustedBasesOf(explanation, links, hostCode) },
      materials,
    },
  };
}

function reported(domain: ExplainedDomain): ReportedDomain {
  const { name, domid, vcpus, memoryBytes, roles, label, output, onDeath, cmdline } = domain;
  const told = cmdline === undefined ? {} : { cmdline };
  return { name, domid, vcpus, memoryBytes, roles, label, output, onDeath, ...told };
}

/** Which part of the receipt is which plan's; a problem in words if one is of no plan. */
function runsOf(image: DecodedImage, receipt: Receipt): [PlanRun, PlanRun?] | string {
  const { main, ...last } = receipt;
  const isRecovery = main !== undefined || last.planDigest === image.recovery?.header.planDigest;
  if (isRecovery && image.recovery === undefined) {
    return "it tells of a recovery plan, and the image has none";
  }
  const ofLast: PlanRun =
    isRecovery && image.recovery !== undefined
      ? { plan: "recovery", decoded: image.recovery, part: last }
      : { plan: "main", decoded: image, part: last };
  const runs: [PlanRun, PlanRun?] =
    main === undefined ? [ofLast] : [{ plan: "main", decoded: image, part: main }, ofLast];
  for (const run of runs) {
    const problem = run === undefined ? undefined : mismatch(run);
    if (problem !== undefined) return problem;
  }
  return runs;
}

/** Why a part can't be of that plan. A plan that was refused left nothing but its status. */
function mismatch({ plan, decoded, part }: PlanRun): string | undefined {
  const isEmpty = part.domains.length === 0 && part.steps.length === 0;
  if (isEmpty && part.status !== LaunchStatus.success) return undefined;
  const { planDigest } = decoded.header;
  if (part.planDigest !== planDigest) {
    return `its ${plan} plan has the digest ${part.planDigest}, the image's ${planDigest}`;
  }
  const { domains, steps } = decoded.plan;
  if (part.domains.length !== domains.length) {
    return `it has ${part.domains.length} domains in the ${plan} plan, the image ${domains.length}`;
  }
  if (part.steps.length !== steps.length) {
    return `it has ${part.steps.length} steps in the ${plan} plan, the image ${steps.length}`;
  }
  return undefined;
}

/** A run, and what one of the other plan would begin with. */
function runOf(
  { plan, decoded, part }: PlanRun,
  simulate: string,
  before?: Before,
): { readonly run: Run; readonly after: Before } {
  const facts = factsOf(decoded.plan);
  const timeline = timelineOf(facts, part);
  const criticalPath = criticalPathOf(facts, timeline);
  const nanoseconds = (ticks: number): number => Math.round((ticks / part.clockKilohertz) * 1e6);
  const spentNs = {
    digest: nanoseconds(part.digestTicks),
    populate: nanoseconds(part.populateTicks),
    copy: nanoseconds(part.copyTicks),
    clear: nanoseconds(part.clearTicks),
    wait: nanoseconds(part.waitTicks),
  };
  const measured = Object.values(spentNs).reduce((sum, time) => sum + time, 0);
  const { failures, after } = failuresOf(facts, part, simulate, before);
  const run: Run = {
    plan,
    planDigest: decoded.header.planDigest,
    status: launchStatusName(part.status),
    verifiedBy: part.verifiedBy,
    launchVersion: part.launchVersion,
    domains: facts.domains,
    steps: facts.steps.map(({ domain, kind, guards }) => ({ domain, kind, guards })),
    spentNs: { ...spentNs, rest: Math.max(0, timeline.durationNs - measured) },
    timeline,
    criticalPath,
    order: orderOf(facts, timeline, criticalPath),
    failures,
  };
  return { run, after };
}
