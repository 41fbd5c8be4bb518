// SPDX-License-Identifier: Apache-2.0
// All rules of all stages: the source of docs/diagnostics.md. A stage declares its own with
// defineRules() in its folder, and has a line here.

import { descriptionRules } from "../description/rules.js";
import { deviceTreeRules } from "../device-tree/rules.js";
import { guestRules } from "../guest/rules.js";
import { imageRules } from "../image/rules.js";
import { importRules } from "../importers/rules.js";
import { materialRules } from "../materials/rules.js";
import { planRules } from "../plan/rules.js";
import { policyRules } from "../policy/rules.js";
import { signatureRules } from "../signature/rules.js";
import { updateRules } from "../update/rules.js";
import type { Rule, RuleTable } from "./rules.js";

const tables: readonly RuleTable<string>[] = [
  descriptionRules,
  importRules,
  materialRules,
  deviceTreeRules,
  guestRules,
  planRules,
  policyRules,
  imageRules,
  signatureRules,
  updateRules,
];

/** Every rule, by code. */
export function allRules(): readonly Rule[] {
  return tables
    .flatMap(({ rules }) => rules)
    .toSorted((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0));
}
