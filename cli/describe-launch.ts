// SPDX-License-Identifier: Apache-2.0
// A compiled launch for people: its domains, what it takes of the host, how Xen is to be started.

import { createHash } from "node:crypto";
import { relative } from "node:path";
import type { DomainDescription } from "../compiler/description/description.js";
import { formatDuration } from "../compiler/description/duration.js";
import { formatSize } from "../compiler/description/size.js";
import type { Plan } from "../compiler/plan/plan.js";
import { cpusNeeded } from "../compiler/plan/processors.js";
import { longestStep, workOfLaunch } from "../compiler/plan/work.js";
import { linkEnds, type Privilege, privilegesOfLaunch } from "../compiler/privileges/privileges.js";
import { PAGE_SIZE } from "../contract/limits.js";
import { timeOf } from "../xen-model/costs.js";
import type { DescribedLaunch } from "./answer.js";
import { processorsOf, processorsText } from "./describe-processors.js";
import { plainTable } from "./plain-table.js";
import { printable } from "./render-diagnostics.js";

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 0x100000)} MiB`;

/** SHA-256 of bytes, hexadecimal. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A path as it is shortest from here. */
function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === "" || fromHere.length > path.length ? path : fromHere;
}

/** Labels that the plan gives, by the domain's name. */
function labelsOf({ plan, recovery }: DescribedLaunch): ReadonlyMap<string, string> {
  const domains = [...plan.domains, ...(recovery?.plan.domains ?? [])];
  return new Map(
    domains.flatMap(({ name, label }) => (label === "" ? [] : [[name, label] as const])),
  );
}

/** The FLASK policy that Xen must enforce. */
function policyOf({ description, plan }: DescribedLaunch) {
  const { policy } = description;
  if (policy === undefined) return undefined;
  return { path: policy, bytes: plan.policyBytes, digest: plan.policyDigest };
}

/** Who may do what to whom once the launch has ended. */
function privilegesOf(launch: DescribedLaunch): readonly Privilege[] {
  const { domains, links } = launch.description;
  const main = domains.filter(({ recovery }) => !recovery);
  return privilegesOfLaunch(main, labelsOf(launch), (domain) => linkEnds(links, domain));
}

/** Whether anybody must have signed the launch. */
function verificationText({ verify, description }: DescribedLaunch): string {
  if (verify === "all") return "all: it runs only if a key signed it that the boot domain trusts";
  const because =
    description.verify === "none" ? "policy.verify is none" : "give `domb build` a --key";
  return `NOT VERIFIED: who can change the image decides what runs (${because})`;
}

/** What FLASK has to do with the launch. */
function policyText(launch: DescribedLaunch): string {
  const policy = policyOf(launch);
  if (policy !== undefined) {
    const { path, digest } = policy;
    return `${printable(shortPath(path))}, SHA-256 ${digest}: Xen must enforce it, or nothing starts; its boot module comes after the image`;
  }
  return labelsOf(launch).size === 0
    ? "none, and no labels: for Xen's default module, or SILO"
    : "any that knows the labels; they are not checked before the launch";
}

/** The launch as a plain object, for `--json`. */
export function launchDocument(launch: DescribedLaunch): object {
  const { image, plan, demand, xenCommandLine, description } = launch;
  return {
    imageBytes: image.length,
    imageDigest: digestOf(image),
    policy: policyOf(launch) ?? null,
    verify: launch.verify,
    domains: description.domains.map((domain) => {
      const { name, domid, kernel, memoryBytes, vcpus, output, roles, recovery } = domain;
      const label = labelsOf(launch).get(name) ?? null;
      const common = { name, domid, memoryBytes, vcpus, kernel, output, roles, recovery, label };
      const { after, ready, onFailure } = domain;
      return { ...common, ...{ after, ready, onFailure }, ...processorsOf(domain) };
    }),
    links: description.links,
    privileges: privilegesOf(launch),
    operations: plan.operations.length,
    work: { ...workOfLaunch(plan), longestStep: longestStep(plan) },
    demand,
    hostCpus: cpusNeeded(plan),
    pools: description.pools ?? [],
    xenCommandLine,
  };
}

/** What the boot domain does at most, and how long that takes on the model. */
function workText(plan: Plan): string {
  const work = workOfLaunch(plan);
  const seconds = (nanoseconds: number): string => `${(nanoseconds / 1e9).toFixed(3)} s`;
  const { step, nanoseconds } = longestStep(plan);
  const longest = step === 0 ? "" : `, the longest step is ${step} with ${seconds(nanoseconds)}`;
  return `at most ${work.hypercalls} hypercalls, ${work.digestBytes} bytes digested; some ${seconds(timeOf(work))}${longest}`;
}

function privilegesText(launch: DescribedLaunch): string {
  const rows = privilegesOf(launch);
  if (rows.length === 0) return "No domain may do anything beyond its own memory and vCPUs.";
  const cells = rows.map(({ domain, may, over, because }) => [domain, `${may} ${over}`, because]);
  return plainTable(["domain", "may, once the launch has ended", "by"], cells);
}

/** What each domain waits for, and others for it; nothing where all start at once. */
function orderText(domains: readonly DomainDescription[]): readonly string[] {
  const plain = ({ after, ready, onFailure }: DomainDescription): boolean =>
    after.length === 0 && ready.when === "started" && onFailure === "abort";
  if (domains.every(plain)) return [];
  const rows = domains.map(({ name, recovery, after, ready, onFailure }) => [
    name,
    recovery ? "a failure, alone" : after.join(", ") || "at once",
    ready.when === "started" ? "started" : `${ready.when} within ${formatDuration(ready.withinMs)}`,
    onFailure,
  ]);
  return [plainTable(["domain", "starts after", "is ready when", "on failure"], rows), ""];
}

/** The launch as text. */
export function launchText(launch: DescribedLaunch): string {
  const { plan, demand, xenCommandLine, description } = launch;
  const labels = labelsOf(launch);
  const labelled = labels.size > 0;
  const domains = description.domains.map((domain) => {
    const { name, domid, memoryBytes, kernel, output, roles, recovery } = domain;
    return [
      name,
      String(domid),
      formatSize(memoryBytes),
      printable(shortPath(kernel)),
      output,
      [...(recovery ? ["recovery"] : []), ...roles].join(", "),
      ...(labelled ? [labels.get(name) ?? ""] : []),
    ];
  });
  const domainPages = demand.domains.reduce((sum, { pages }) => sum + pages, 0);
  return [
    plainTable(
      ["domain", "domid", "memory", "kernel", "output", "roles", ...(labelled ? ["label"] : [])],
      domains,
    ),
    "",
    ...orderText(description.domains),
    ...processorsText(description),
    privilegesText(launch),
    "",
    `image         ${launch.image.length} bytes, ${plan.operations.length} operations, ${plan.materials.length} materials`,
    `host memory   ${mebibytes(demand.totalBytes)} at least: Xen ${mebibytes(demand.xenPages * PAGE_SIZE)}, boot domain ${mebibytes(demand.bootDomainPages * PAGE_SIZE)} until its exit, domains ${mebibytes(domainPages * PAGE_SIZE)}`,
    ...(cpusNeeded(plan) === 1 ? [] : [`host CPUs     ${cpusNeeded(plan)} at least`]),
    `work          ${workText(plan)}`,
    `verification  ${verificationText(launch)}`,
    `FLASK policy  ${policyText(launch)}`,
    `Xen's command line must have: ${xenCommandLine}`,
    "",
  ].join("\n");
}
