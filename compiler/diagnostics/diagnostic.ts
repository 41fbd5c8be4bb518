// SPDX-License-Identifier: Apache-2.0
// What the compiler says of bad input: one diagnostic per fault, each with a stable code, the
// place, both parties and the fix. Results are values; exceptions are bugs of domb's own.

/** Where a fault lies. Lines and columns count from 1; a typed description has only `path`. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** Keys from the description's top, as in `domains.web.memory`. */
  readonly path?: readonly (string | number)[];
}

/** The other party of a fault, as "first given here". */
export interface RelatedPlace {
  readonly place: Place;
  readonly message: string;
}

export interface Diagnostic {
  /** Stable: `DOMB` and four digits. */
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly place: Place;
  /** What was found and what is wanted, in one sentence. */
  readonly message: string;
  /** What to do, in one sentence. */
  readonly fix: string;
  readonly related: readonly RelatedPlace[];
}

/** A value, perhaps with warnings, or the errors (and warnings) that kept it from being made. */
export type Result<T> =
  | { readonly ok: true; readonly value: T; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };
