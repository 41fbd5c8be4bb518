// SPDX-License-Identifier: Apache-2.0
// A file of the description with its content, and how the stages that look into it report what
// is wrong with it. Pure: reading is read-files.ts's part.

import type { Place, Result } from "../diagnostics/diagnostic.js";
import { materialRules } from "./rules.js";

export interface MaterialFile {
  /** As the description gives it, made absolute. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Where the description names it. */
  readonly place: Place;
}

type MaterialCode = Parameters<typeof materialRules.diagnose>[0];

/** A failed result with one diagnostic about this file. */
export function materialFault(
  file: MaterialFile,
  code: MaterialCode,
  message: string,
  fix: string,
): Extract<Result<never>, { ok: false }> {
  const text = `${file.path}: ${message}`;
  return {
    ok: false,
    diagnostics: [materialRules.diagnose(code, { place: file.place, message: text, fix })],
  };
}
