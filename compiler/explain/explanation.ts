// SPDX-License-Identifier: Apache-2.0
// An image as a plain object for people's tools: `domb explain --json` prints it as it is. Steps,
// operations, domains and materials are numbered from 1, as the launch receipt numbers them.

import { PAGE_SIZE } from "../../contract/limits.js";
import { XEN_DOMCTL_CDF_host_ends, XEN_DOMCTL_CDF_xen_log } from "../../contract/xen-abi.js";
import type { Architecture } from "../../xen-model/machines.js";
import { type HostDemand, hostDemand } from "../../xen-model/memory.js";
import { readTold, type Told } from "../guest/told.js";
import type { DecodedImage, DecodedPlan } from "../image/decode-image.js";
import type { Verify } from "../image/image-header.js";
import { workOf } from "../plan/make-plan.js";
import type { Plan, PlanDomain, PlanMaterial, PlanOperation, PlanStep } from "../plan/plan.js";
import { cpusIn, schedulerName } from "../plan/processors.js";
import { type Role, rolesOf } from "../plan/roles.js";
import type { ReadAcpi } from "./acpi.js";
import { type GuestRegion, guestMemory } from "./guest-memory.js";
import type { ReadContext } from "./guest-start.js";
import { readContext, readStartOfDay } from "./start.js";

export interface Explanation {
  readonly schema: "domb.explain/1";
  readonly image: {
    readonly bytes: number;
    readonly version: number;
    readonly architecture: Architecture;
    readonly xenInterface: number;
    readonly launchVersion: number;
    readonly verify: Verify;
    /** By whom, is not said here. */
    readonly signed: boolean;
    readonly planBytes: number;
    readonly planDigest: string;
    /** Roles that nobody gets, in this launch or after. */
    readonly droppedRoles: readonly Role[];
    /** The FLASK policy that Xen must enforce; absent: any, or none. */
    readonly policy?: { readonly bytes: number; readonly digest: string };
  };
  readonly domains: readonly ExplainedDomain[];
  readonly materials: readonly ExplainedMaterial[];
  readonly totals: {
    readonly steps: number;
    /** Operations in the table, and those that a launch executes. */
    readonly operations: number;
    readonly executedOperations: number;
    readonly materialBytes: number;
    readonly demand: HostDemand;
  };
  /** The recovery plan, if there is one. */
  readonly recovery?: Explanation;
}

export interface ExplainedDomain {
  readonly name: string;
  readonly domid: number;
  readonly vcpus: number;
  readonly memoryBytes: number;
  readonly pagingPoolBytes: number;
  readonly output: "xen-log" | "none";
  readonly onDeath: "leave" | "reboot";
  readonly roles: readonly Role[];
  /** FLASK label, empty for none. */
  readonly label: string;
  readonly createFlags: number;
  readonly devices: number;
  readonly sharedInterrupts: number;
  readonly maxEventChannelPort: number;
  readonly maxGrantFrames: number;
  readonly maxMaptrackFrames: number;
  readonly cpuPool: number;
  readonly readiness: PlanDomain["readiness"];
  /** Milliseconds. */
  readonly readyWithin: number;
  readonly onFailure: PlanDomain["onFailure"];
  /** Absent when no start of day is copied. */
  readonly cmdline?: string;
  /** The ACPI tables that it is told of; absent on arm64. */
  readonly acpi?: ReadAcpi;
  /** What its command line tells it of its links, in that order. */
  readonly links: readonly ExplainedLink[];
  /** Absent when no context is set. */
  readonly start?: ReadContext;
  readonly memory: readonly GuestRegion[];
  readonly steps: readonly ExplainedStep[];
}

/** What a domain is told of a link; `peerName` is that of the other domain, if the plan has it. */
export type ExplainedLink = Exclude<Told, { kind: "ready" }> & { readonly peerName?: string };

export interface ExplainedStep {
  readonly number: number;
  /** Number of the step that must be done first; 0: none. */
  readonly afterStep: number;
  /** Names of domains that must be ready first. */
  readonly afterReady: readonly string[];
  /** Names of other domains with a step of these very operations. */
  readonly sharedWith: readonly string[];
  readonly operations: readonly ExplainedOperation[];
}

export interface ExplainedOperation {
  readonly number: number;
  readonly kind: PlanOperation["kind"];
  /** Number of the material. */
  readonly material?: number;
  /** Bytes from the material's start. */
  readonly offset?: number;
  /** Guest physical address, bytes. */
  readonly address?: number;
  readonly bytes?: number;
  /** Bytes of each extent. */
  readonly extentBytes?: number;
  /** The other fields of the plan's record, by their names, with names and lists in place of numbers. */
  readonly arguments?: Readonly<Record<string, number | string>>;
}

export interface ExplainedMaterial {
  readonly number: number;
  readonly kind: PlanMaterial["kind"];
  readonly offset: number;
  readonly bytes: number;
  readonly digest: string;
  /** Names of the domains that it is copied to or set for. */
  readonly usedBy: readonly string[];
}

/** Explains a decoded image, or one of its plans. */
export function explanationOf(decoded: DecodedPlan | DecodedImage): Explanation {
  const { architecture, header, plan, materials, signature } = decoded;
  const recovery = "recovery" in decoded ? decoded.recovery : undefined;
  const operationsOf = ({ firstOperation, operationCount }: PlanStep) =>
    plan.operations.slice(firstOperation, firstOperation + operationCount);
  const stepsOf = (domain: number) =>
    plan.steps.flatMap((step, index) => (step.domain === domain ? [{ step, index }] : []));
  const uses = plan.domains.map(
    (_, domain) =>
      new Set(
        stepsOf(domain)
          .flatMap(({ step }) => operationsOf(step))
          .flatMap((operation) =>
            operation.kind === "copy" || operation.kind === "setContext"
              ? [operation.material]
              : [],
          ),
      ),
  );

  return {
    schema: "domb.explain/1",
    image: {
      bytes: header.imageBytes,
      version: header.version,
      architecture,
      xenInterface: header.xenInterface,
      launchVersion: header.launchVersion,
      verify: header.verify,
      signed: signature !== undefined,
      planBytes: header.planBytes,
      planDigest: header.planDigest,
      droppedRoles: rolesOf(plan.dropped),
      ...(plan.policyBytes === 0
        ? {}
        : { policy: { bytes: plan.policyBytes, digest: plan.policyDigest } }),
    },
    domains: plan.domains.map((_, index) => explainDomain(index)),
    materials: plan.materials.map((material, index) => ({
      number: index + 1,
      kind: material.kind,
      offset: material.offset,
      bytes: material.bytes,
      digest: material.digest,
      usedBy: plan.domains.filter((_, domain) => uses[domain]?.has(index)).map(({ name }) => name),
    })),
    totals: {
      steps: plan.steps.length,
      operations: plan.operations.length,
      executedOperations: workOf(plan),
      materialBytes: plan.materials.reduce((sum, { bytes }) => sum + bytes, 0),
      demand: hostDemand(plan, header.imageBytes),
    },
    ...(recovery === undefined ? {} : { recovery: explanationOf(recovery) }),
  };

  function explainDomain(index: number): ExplainedDomain {
    const record = plan.domains[index];
    if (record === undefined) throw new Error(`bug: no domain ${index}`);
    const { memoryPages, pagingPoolPages, ...fields } = record;
    const steps = stepsOf(index);
    const operations = steps.flatMap(({ step }) => operationsOf(step));
    const started = findStart(operations);
    return {
      ...fields,
      memoryBytes: memoryPages * PAGE_SIZE,
      pagingPoolBytes: pagingPoolPages * PAGE_SIZE,
      output: (record.createFlags & XEN_DOMCTL_CDF_xen_log) === 0 ? "none" : "xen-log",
      onDeath: (record.createFlags & XEN_DOMCTL_CDF_host_ends) === 0 ? "leave" : "reboot",
      roles: rolesOf(record.createFlags),
      ...(started.cmdline === undefined ? {} : { cmdline: started.cmdline }),
      ...(started.acpi === undefined ? {} : { acpi: started.acpi }),
      links: readTold(started.cmdline ?? "")
        .told.filter((word) => word.kind !== "ready")
        .map((word) => ({ ...word, ...peerNameOf(word) })),
      ...(started.context === undefined ? {} : { start: started.context }),
      memory: guestMemory(plan, operations, started.memoryMap),
      steps: steps.map(({ step, index: at }) => ({
        number: at + 1,
        afterStep: step.afterStep,
        afterReady: plan.guards
          .slice(step.firstGuard, step.firstGuard + step.guardCount)
          .map((domain) => plan.domains[domain]?.name ?? ""),
        sharedWith: sharedWith(step),
        operations: operationsOf(step).map((operation, offset) =>
          explainOperation(plan, operation, step.firstOperation + offset + 1),
        ),
      })),
    };
  }

  function peerNameOf(word: Told): { peerName?: string } {
    if (!("peer" in word)) return {};
    const peer = plan.domains.find(({ domid }) => domid === word.peer);
    return peer === undefined ? {} : { peerName: peer.name };
  }

  /** What start of day and context say that the guest is told. */
  function findStart(operations: readonly PlanOperation[]) {
    const context = operations
      .filter((operation) => operation.kind === "setContext")
      .map(({ material }) => readContext(architecture, materials[material] ?? new Uint8Array()))
      .findLast((read) => read !== undefined);
    const told = operations
      .filter((operation) => operation.kind === "copy")
      .filter(({ material }) => plan.materials[material]?.kind === "startOfDay")
      .map(({ material, frame }) =>
        readStartOfDay(architecture, materials[material] ?? new Uint8Array(), frame * PAGE_SIZE),
      )
      .at(-1);
    const { cmdline, acpi, memoryMap = [] } = told ?? {};
    return { context, cmdline, acpi, memoryMap };
  }

  /** Other domains whose steps end with the last of this step's operations. */
  function sharedWith(step: PlanStep): readonly string[] {
    const end = step.firstOperation + step.operationCount;
    const others = plan.steps.filter(
      (other) =>
        other.domain !== step.domain && other.firstOperation + other.operationCount === end,
    );
    return plan.domains
      .filter((_, domain) => others.some((other) => other.domain === domain))
      .map(({ name }) => name);
  }
}

function explainOperation(
  plan: Plan,
  operation: PlanOperation,
  number: number,
): ExplainedOperation {
  const { kind } = operation;
  switch (operation.kind) {
    case "verify":
    case "setContext":
      return { number, kind, material: operation.material + 1 };
    case "populate": {
      const extentBytes = 2 ** operation.order * PAGE_SIZE;
      const bytes = operation.count * extentBytes;
      return { number, kind, address: operation.frame * PAGE_SIZE, bytes, extentBytes };
    }
    case "copy":
      return {
        number,
        kind,
        material: operation.material + 1,
        offset: operation.offset,
        address: operation.frame * PAGE_SIZE,
        bytes: operation.count * PAGE_SIZE,
      };
    case "clear":
      return {
        number,
        kind,
        address: operation.frame * PAGE_SIZE,
        bytes: operation.count * PAGE_SIZE,
      };
    case "setAffinity": {
      const { vcpu, lowCpus, highCpus } = operation;
      return { number, kind, arguments: { vcpu, cpus: cpusIn(lowCpus, highCpus).join(" ") } };
    }
    case "setShare":
    case "createPool": {
      const { kind: _, ...rest } = operation;
      return { number, kind, arguments: { ...rest, scheduler: schedulerName(rest.scheduler) } };
    }
    default: {
      const { kind: _, ...rest } = operation;
      const peer = "peer" in rest ? { peer: plan.domains[rest.peer]?.name ?? "" } : {};
      const others = { ...rest, ...peer };
      return { number, kind, ...(Object.keys(others).length === 0 ? {} : { arguments: others }) };
    }
  }
}
