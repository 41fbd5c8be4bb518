// SPDX-License-Identifier: Apache-2.0
// An image as text for people: what each domain is, what lies in its memory, what is done for it
// and in which order.

import { PAGE_SIZE } from "../../contract/limits.js";
import { type Architecture, architectureNames } from "../../xen-model/machines.js";
import type { DecodedImage } from "../image/decode-image.js";
import type { ReadAcpi } from "./acpi.js";
import {
  type ExplainedDomain,
  type ExplainedLink,
  type ExplainedMaterial,
  type ExplainedOperation,
  type ExplainedStep,
  type Explanation,
  explanationOf,
} from "./explanation.js";
import type { GuestRegion } from "./guest-memory.js";
import { startRegisters } from "./start.js";

export { type DecodedImage, decodeImage } from "../image/decode-image.js";
export { type Explanation, explanationOf } from "./explanation.js";

/** The whole text, ending with a newline. */
export function explainImage(image: DecodedImage): string {
  const { recovery, ...main } = explanationOf(image);
  const texts = [explainPlan(main), ...(recovery === undefined ? [] : [explainPlan(recovery)])];
  return texts.join("\nRecovery plan, if the other one is refused\n\n");
}

function explainPlan(explanation: Explanation): string {
  const shown = new Map<number, number>();
  const blocks = [
    explainHeader(explanation),
    ...explanation.domains.map((domain) =>
      explainDomain(domain, explanation.materials, shown, explanation.image.architecture),
    ),
    explainMaterials(explanation.materials),
    explainTotals(explanation),
  ];
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function explainHeader({ image }: Explanation): readonly string[] {
  return [
    `Launch image, ${size(image.bytes)}`,
    `  format ${image.version}, for ${architectureNames[image.architecture]} Xen with domctl interface ` +
      hexadecimal(image.xenInterface),
    `  plan   ${size(image.planBytes)}, sha256 ${image.planDigest}`,
    `  launch version ${image.launchVersion}, verify ${image.verify}, ${image.signed ? "signed" : "not signed"}`,
    ...(image.droppedRoles.length === 0
      ? []
      : [`  drops  ${image.droppedRoles.join(", ")}: nobody gets these roles`]),
    ...(image.policy === undefined
      ? []
      : [
          `  FLASK  policy of ${size(image.policy.bytes)}, sha256 ${image.policy.digest}, enforced`,
        ]),
  ];
}

/** `shown` has, for the last operation of each step shown so far, the step's number. */
function explainDomain(
  domain: ExplainedDomain,
  materials: readonly ExplainedMaterial[],
  shown: Map<number, number>,
  architecture: Architecture,
): readonly string[] {
  const { name, domid, vcpus, memoryBytes, pagingPoolBytes, cmdline, start } = domain;
  const output = domain.output === "xen-log" ? "writes to Xen's log" : "writes nowhere";
  const entry =
    start === undefined
      ? []
      : [
          `  start  at ${hexadecimal(start.entry)}, ` +
            `${startRegisters[architecture]} ${hexadecimal(start.startInfo)}`,
        ];
  return [
    `Domain ${name}, domid ${domid}: ${count(vcpus, "vCPU")}, ${size(memoryBytes)} of memory, ` +
      `${size(pagingPoolBytes)} for paging, ${output}`,
    `  limits event channels to port ${domain.maxEventChannelPort}, ` +
      `${count(domain.maxGrantFrames, "grant frame")}, ` +
      count(domain.maxMaptrackFrames, "maptrack frame"),
    `  ready  ${readinessText(domain)}; ${failureTexts[domain.onFailure]}`,
    ...(domain.onDeath === "leave" ? [] : ["  ends   the host with it: Xen reboots"]),
    ...(domain.roles.length === 0 ? [] : [`  roles  ${domain.roles.join(", ")}`]),
    ...(domain.label === "" ? [] : [`  label  ${domain.label}`]),
    ...(domain.cpuPool === 0 ? [] : [`  runs   in CPU pool ${domain.cpuPool}`]),
    ...(cmdline === undefined ? [] : [`  told   ${JSON.stringify(cmdline)}`]),
    ...(domain.acpi === undefined ? [] : [`  ACPI   ${explainAcpi(domain.acpi)}`]),
    ...domain.links.map((link) => `  link   ${explainLink(link)}`),
    ...entry,
    "  memory",
    ...domain.memory.map((region) => `    ${explainRegion(region)}`),
    ...domain.steps.flatMap((step) => explainStep(step, materials, shown)),
  ];
}

const failureTexts: Readonly<Record<ExplainedDomain["onFailure"], string>> = {
  abort: "its failure ends the launch",
  continue: "the launch goes on without it if it fails",
  recover: "the recovery plan runs if it fails",
};

function readinessText({ readiness, readyWithin }: ExplainedDomain): string {
  if (readiness === "started") return "once started";
  const what =
    readiness === "signalled" ? "once it has signalled" : "once it has signalled and ended";
  return `${what}, within ${readyWithin} ms`;
}

/** Which tables there are, and which processors they list. */
function explainAcpi({ tables, processors }: ReadAcpi): string {
  const ids = names(processors.map(({ apicId }) => String(apicId)));
  const signatures = tables.map(({ signature }) => signature).join(", ");
  return `${signatures}; ${count(processors.length, "local APIC")}: ${ids}`;
}

function explainLink(link: ExplainedLink): string {
  const { kind, link: name } = link;
  const peer = link.peerName ?? ("peer" in link ? `domid ${link.peer}` : "");
  switch (kind) {
    case "open":
      return `${name}: event channel, its port ${link.port} is open for ${peer}`;
    case "bind":
      return `${name}: event channel, to bind to port ${link.port} of ${peer}`;
    case "own": {
      const bytes = link.pages * PAGE_SIZE;
      return (
        `${name}: ${size(bytes)} of its memory, ${range(link.frame * PAGE_SIZE, bytes)}, ` +
        `which it maps by ${references(link.reference, link.pages)} of its own`
      );
    }
    case "map":
      return (
        `${name}: ${size(link.pages * PAGE_SIZE)} of ${peer}'s memory, to map by ` +
        `${references(link.reference, link.pages)} and ${link.access === "write" ? "write" : "only read"}`
      );
  }
}

function references(first: number, pages: number): string {
  return pages === 1 ? `reference ${first}` : `references ${first} to ${first + pages - 1}`;
}

/** Operations that an earlier step showed are not shown again, but for short steps. */
function explainStep(
  { number, afterStep, afterReady, sharedWith, operations }: ExplainedStep,
  materials: readonly ExplainedMaterial[],
  shown: Map<number, number>,
): readonly string[] {
  const first = [
    ...(afterStep === 0 ? [] : [`step ${afterStep}`]),
    ...(afterReady.length === 0 ? [] : [`${names(afterReady)} ready`]),
  ];
  const guard = first.length === 0 ? "at once" : `after ${first.join(", ")}`;
  const shared = sharedWith.length === 0 ? "" : `; shared with ${names(sharedWith)}`;
  const title = `  step ${number}, ${guard}${shared}`;
  const from = operations[0]?.number ?? 0;
  const last = operations.at(-1)?.number ?? 0;
  const earlier = shown.get(last);
  shown.set(last, earlier ?? number);
  if (earlier !== undefined && operations.length > SHORT_STEP) {
    return [title, `    operations ${from} to ${last}, as in step ${earlier}`];
  }
  return [title, ...operations.map((operation) => `    ${explainOperation(operation, materials)}`)];
}

const SHORT_STEP = 4;

const REGION_NAMES: Readonly<Record<GuestRegion["what"], string>> = {
  kernel: "kernel",
  ramdisk: "ramdisk",
  startOfDay: "start of day",
  vcpuContext: "vCPU context",
  zeros: "zeros",
  linkMemory: "link memory",
  free: "free",
  reserved: "reserved",
};

function explainRegion({ address, bytes, what, clearedBytes }: GuestRegion): string {
  const cleared =
    what === "kernel" && clearedBytes > 0 ? `, ${size(clearedBytes)} of it zeros` : "";
  return `${range(address, bytes)}  ${size(bytes).padStart(10)}  ${REGION_NAMES[what]}${cleared}`;
}

function explainOperation(
  operation: ExplainedOperation,
  materials: readonly ExplainedMaterial[],
): string {
  const { number, kind, material, offset, address, bytes, extentBytes } = operation;
  const words: Readonly<Record<ExplainedOperation["kind"], string>> = {
    verify: "verify",
    createDomain: "create the domain",
    allocateVcpus: "allocate vCPUs",
    setPagingPool: "set the paging pool",
    limitMemory: "limit the memory",
    populate: "populate",
    copy: "copy",
    clear: "clear",
    setContext: "set the context of vCPUs",
    start: "start the domain",
    openChannel: "open an event channel",
    openSignal: "open the boot domain's event channel",
    grant: "grant pages",
    setAffinity: "set the affinity",
    setShare: "set the share of CPU time",
    createPool: "create a CPU pool",
    moveCpu: "move a CPU from pool 0",
  };
  const target = address === undefined ? "" : ` ${range(address, bytes ?? 0)}`;
  const amount = bytes === undefined ? "" : `, ${size(bytes)}`;
  const extents = extentBytes === undefined ? "" : ` in extents of ${size(extentBytes)}`;
  const kindOfMaterial = material === undefined ? undefined : materials[material - 1]?.kind;
  const source =
    kindOfMaterial === undefined
      ? ""
      : `${kind === "verify" ? "" : " from"} material ${material} (${REGION_NAMES[kindOfMaterial]})`;
  const from = offset === undefined ? "" : ` at ${hexadecimal(offset)}`;
  const others = Object.entries(operation.arguments ?? {}).map(
    ([name, value]) => `${name} ${value}`,
  );
  const rest = others.length === 0 ? "" : `: ${others.join(", ")}`;
  const what = `${words[kind]}${target}${amount}${extents}${source}${from}${rest}`;
  return `${String(number).padStart(5)}  ${what}`;
}

function explainMaterials(materials: readonly ExplainedMaterial[]): readonly string[] {
  return [
    "Materials",
    ...materials.map(
      ({ number, kind, offset, bytes, digest, usedBy }) =>
        `  ${String(number).padStart(3)}  ${REGION_NAMES[kind].padEnd(12)}  ` +
        `${size(bytes).padStart(10)} at ${hexadecimal(offset)}  sha256 ${digest}  ` +
        (usedBy.length === 0 ? "used by no domain" : `for ${names(usedBy)}`),
    ),
  ];
}

function explainTotals({ domains, materials, totals }: Explanation): readonly string[] {
  const { demand } = totals;
  return [
    `Totals: ${count(domains.length, "domain")}, ${count(totals.steps, "step")}, ` +
      `${count(totals.operations, "operation")} (${totals.executedOperations} executed), ` +
      `${count(materials.length, "material")} of ${size(totals.materialBytes)}`,
    `  needs a host with ${size(demand.totalBytes)} of memory at least`,
  ];
}

const UNITS = ["GiB", "MiB", "KiB"] as const;

/** Bytes in the largest unit of which there is one; two digits at most behind the point. */
function size(bytes: number): string {
  for (const [index, unit] of UNITS.entries()) {
    const value = bytes / 1024 ** (UNITS.length - index);
    if (value >= 1) return `${Number(value.toFixed(2))} ${unit}`;
  }
  return count(bytes, "byte");
}

function range(address: number, bytes: number): string {
  const digits = (value: number) => value.toString(16).padStart(9, "0");
  return `${digits(address)}-${digits(address + bytes - 1)}`;
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16)}`;
}

function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? "" : "s"}`;
}

/** A few names in full, many as their number. */
function names(all: readonly string[]): string {
  return all.length <= 4
    ? all.join(", ")
    : `${all.slice(0, 3).join(", ")} and ${all.length - 3} more`;
}
