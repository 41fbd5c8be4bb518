// SPDX-License-Identifier: Apache-2.0
// Collects what launches reach of the boot domain's source, and says what they do not.

import { injectFaults } from "../faults.js";
import { type BootDomainImports, type Simulation, simulateLaunch } from "../simulate.js";
import type { SuiteCase } from "../suite.js";
import { buildCovered, type Covered } from "./build.js";
import { drive } from "./drive.js";
import type { Decision, Point } from "./instrument.js";

/** What can be missed: a statement, or a condition's being true or false. */
export type Which = "statement" | "true" | "false";

/** Something that no launch reached. */
export interface Missed {
  readonly point: Point;
  readonly which: Which;
}

export interface Part {
  readonly covered: number;
  readonly all: number;
}

export interface FileCoverage {
  readonly file: string;
  readonly functions: Part;
  readonly statements: Part;
  /** Lines on which a statement begins; each of its statements must be reached. */
  readonly lines: Part;
  /** Two of each condition: true and false. */
  readonly branches: Part;
}

export interface Report {
  readonly launches: number;
  readonly files: readonly FileCoverage[];
  readonly missed: readonly Missed[];
  readonly decisions: {
    readonly all: number;
    readonly pure: number;
    /** Those that join && and ||: for them MC/DC needs more than branches. */
    readonly mixed: readonly Decision[];
  };
}

/** The imports of a boot domain that records coverage. */
interface CoveredImports extends BootDomainImports {
  readonly coverage: {
    statement(id: number): void;
    condition(id: number, value: number): void;
  };
}

/** Builds, runs every launch of drive.ts, and reports; `observe` is told how each one went. */
export async function measure(
  observe?: (launch: SuiteCase, simulation: Simulation) => void,
): Promise<Report> {
  const built = await buildCovered();
  const coverage = new Coverage(built);
  const { between } = coverage;
  for await (const launch of drive()) {
    const { image, faults, ...host } = launch;
    const inject = injectFaults(faults);
    const simulation = simulateLaunch(image, { wasm: built.wasm, ...host, inject, between });
    observe?.(launch, simulation);
  }
  return coverage.report();
}

export class Coverage {
  readonly #built: Covered;
  /** By a point's id: reached, or a condition that was false. */
  readonly #first: Uint8Array;
  /** By a condition's id: was true. */
  readonly #second: Uint8Array;
  #launches = 0;

  constructor(built: Covered) {
    this.#built = built;
    this.#first = new Uint8Array(built.points.length);
    this.#second = new Uint8Array(built.points.length);
  }

  /** For SimulationOptions: adds what the instrumented boot domain calls. */
  readonly between = (imports: BootDomainImports): CoveredImports => {
    this.#launches++;
    const [first, second] = [this.#first, this.#second];
    const statement = (id: number): void => {
      first[id] = 1;
    };
    const condition = (id: number, value: number): void => {
      (value === 0 ? first : second)[id] = 1;
    };
    return { ...imports, coverage: { statement, condition } };
  };

  /** What all launches so far have reached. */
  report(): Report {
    const { points, decisions } = this.#built;
    const mixed = decisions.filter(({ pure }) => !pure);
    return {
      launches: this.#launches,
      files: [...new Set(points.map(({ file }) => file))].map((file) => this.#file(file)),
      missed: points.flatMap((point) => this.#missedOf(point)),
      decisions: { all: decisions.length, pure: decisions.length - mixed.length, mixed },
    };
  }

  #missedOf(point: Point): readonly Missed[] {
    const first = this.#first[point.id] === 1;
    if (point.kind !== "condition") return first ? [] : [{ point, which: "statement" }];
    const second = this.#second[point.id] === 1;
    return [
      ...(second ? [] : [{ point, which: "true" } as const]),
      ...(first ? [] : [{ point, which: "false" } as const]),
    ];
  }

  #file(file: string): FileCoverage {
    const ofKind = (kind: Point["kind"]): readonly Point[] =>
      this.#built.points.filter((point) => point.file === file && point.kind === kind);
    const part = (points: readonly Point[], each: number): Part => {
      const all = points.length * each;
      return { covered: all - points.flatMap((point) => this.#missedOf(point)).length, all };
    };
    const statements = ofKind("statement");
    const lines = new Set(statements.map(({ line }) => line));
    const missed = new Set(
      statements.filter((point) => this.#missedOf(point).length > 0).map(({ line }) => line),
    );
    return {
      file,
      functions: part(ofKind("function"), 1),
      statements: part(statements, 1),
      lines: { covered: lines.size - missed.size, all: lines.size },
      branches: part(ofKind("condition"), 2),
    };
  }
}
