// SPDX-License-Identifier: Apache-2.0
// What lets a failure happen again in the simulator, as options of `domb simulate`: the hypercall that
// fails, what a domain does, a bit of a material that is flipped.

import type { PlanOperation } from "../../compiler/plan/plan.js";
import { POPULATE_BATCH } from "../../contract/limits.js";
import { LaunchStatus } from "../../contract/receipt.js";
import { errnoName } from "../../xen-model/errno.js";
import type { HypercallName } from "../../xen-model/hypercalls.js";
import type { DomainReceipt, ReceiptPart } from "../../xen-model/receipt.js";
import { shutdownReasons } from "../../xen-model/shutdown.js";
import type { PlanFacts } from "./plan-facts.js";

/** The hypercall that each kind of operation makes, and how many; verifying makes none. */
function hypercallsOf(operation: PlanOperation): readonly [name: HypercallName, count: number][] {
  switch (operation.kind) {
    case "verify":
      return [];
    case "populate":
      return [["populate", Math.ceil(operation.count / POPULATE_BATCH)]];
    case "openSignal":
      return [["openChannel", 1]];
    case "createPool":
      return [["changePool", 1]];
    case "moveCpu":
      return [["changePool", 2]];
    default:
      return [[operation.kind, 1]];
  }
}

/** Hypercalls by name, as far as they are of steps. */
type HypercallCounts = ReadonlyMap<HypercallName, number>;

/** What happened before a run: its hypercalls are counted on, and its failures happen again. */
export interface Before {
  readonly counts: HypercallCounts;
  /** Options of `domb simulate`. */
  readonly options: readonly string[];
}

const nothingBefore: Before = { counts: new Map(), options: [] };

/** Where and why something failed; numbers from 1, 0 for none. */
export type FailedPlace = Pick<ReceiptPart, "status" | "step" | "operation" | "domain" | "error">;

/** Repeats the failures of one run. */
export class Repetition {
  readonly #executed: readonly Executed[];

  constructor(
    readonly facts: PlanFacts,
    readonly part: ReceiptPart,
    readonly before: Before = nothingBefore,
  ) {
    this.#executed = executedOperations(facts, part);
  }

  /** The option that lets it happen again; undefined where none does. */
  optionFor(place: FailedPlace): string | undefined {
    const { status, step, operation, domain, error } = place;
    const content = operationAt(this.facts, step, operation);
    switch (status) {
      case LaunchStatus.hypercall: {
        const call = this.#hypercall(step, operation, content);
        return call === undefined || error === 0
          ? undefined
          : `--fault ${call}=${errnoName(error)}`;
      }
      case LaunchStatus.materialDigest: {
        if (content?.kind !== "verify") return undefined;
        const offset = this.facts.materialOffsets[content.material];
        return offset === undefined ? undefined : `--flip ${offset}:0`;
      }
      case LaunchStatus.late:
      case LaunchStatus.ended: {
        const record = this.part.domains[domain - 1];
        return record === undefined ? undefined : behaviourOf(record, this.part.clockKilohertz);
      }
      default:
        return undefined;
    }
  }

  /** What a run that follows begins with, if these failures are repeated. */
  after(options: readonly string[]): Before {
    const counts = new Map(countOf(this.#executed, this.before.counts));
    counts.set("drop", (counts.get("drop") ?? 0) + 1);
    return { counts, options };
  }

  /** The hypercall of an operation, by name and occurrence, or the one before the first. */
  #hypercall(step: number, operation: number, content: PlanOperation | undefined) {
    const { counts } = this.before;
    if (operation === 0 && this.#executed.length === 0)
      return `drop:${(counts.get("drop") ?? 0) + 1}`;
    const [name] = content === undefined ? [] : (hypercallsOf(content)[0] ?? []);
    if (name === undefined) return undefined;
    const at = this.#executed.findIndex((one) => one.step === step && one.operation === operation);
    const earlier = countOf(this.#executed.slice(0, Math.max(at, 0)), counts);
    return `${name}:${(earlier.get(name) ?? 0) + 1}`;
  }
}

/** The operation with this number, of the step with that one. */
export function operationAt(
  { steps }: PlanFacts,
  step: number,
  operation: number,
): PlanOperation | undefined {
  const found = steps[step - 1];
  return found?.operations[operation - 1 - found.firstOperation];
}

/** Numbers of step and operation, from 1, with the operation. */
interface Executed {
  readonly step: number;
  readonly operation: number;
  readonly content: PlanOperation;
}

/** The operations that a run executed, in their order; of a step that failed, those up to the failure. */
function executedOperations({ steps }: PlanFacts, part: ReceiptPart): readonly Executed[] {
  return part.steps
    .map(({ beganAt }, index) => ({ beganAt, index }))
    .filter(({ beganAt }) => beganAt !== 0)
    .sort((a, b) => a.beganAt - b.beganAt || a.index - b.index)
    .flatMap(({ index }) => {
      const { operations = [], firstOperation = 0, domain = 0 } = steps[index] ?? {};
      const failed = part.domains[domain]?.operation ?? 0;
      return operations
        .map((content, at) => {
          return { step: index + 1, operation: firstOperation + at + 1, content };
        })
        .filter(({ operation }) => {
          const isIn = failed > firstOperation && failed <= firstOperation + operations.length;
          return !isIn || operation <= failed;
        });
    });
}

function countOf(executed: readonly Executed[], before: HypercallCounts): HypercallCounts {
  const counts = new Map(before);
  for (const { content } of executed) {
    for (const [name, count] of hypercallsOf(content)) {
      counts.set(name, (counts.get(name) ?? 0) + count);
    }
  }
  return counts;
}

/** What a domain did; undefined if another one ended it. */
function behaviourOf(record: DomainReceipt, kilohertz: number): string | undefined {
  const { name, startedAt, signalledAt, endedAt, endReason } = record;
  const after = (at: number): string => {
    const microseconds = Math.round((Math.max(at - startedAt, 0) / kilohertz) * 1000);
    return microseconds % 1000 === 0 ? `${microseconds / 1000}ms` : `${microseconds}us`;
  };
  const endings: readonly [string, number][] = Object.entries(shutdownReasons);
  const [ending] = endings.find(([, reason]) => reason === endReason) ?? [];
  if (endedAt !== 0 && ending === undefined) return undefined;
  const deeds = [
    ...(signalledAt === 0 ? [] : [`signal@${after(signalledAt)}`]),
    ...(endedAt === 0 ? [] : [`end@${after(endedAt)}:${ending}`]),
  ];
  return `--behave ${shellWord(`${name}=${deeds.length === 0 ? "silent" : deeds.join(",")}`)}`;
}

/** A word as a POSIX shell takes it. */
export function shellWord(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
