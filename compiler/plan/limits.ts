// SPDX-License-Identifier: Apache-2.0
// Whether a plan and its image stay within the maxima of contract/limits.ts that the boot domain
// checks too: an image that it would refuse is not made.

import {
  MAX_DOMAINS,
  MAX_GUARDS,
  MAX_IMAGE_BYTES,
  MAX_MATERIALS,
  MAX_OPERATIONS,
  MAX_PAGING_POOL_PAGES,
  MAX_STEPS,
  MAX_WORK,
} from "../../contract/limits.js";
import type { Diagnostic, Place } from "../diagnostics/diagnostic.js";
import { workOf } from "./make-plan.js";
import type { Plan } from "./plan.js";
import { planRules } from "./rules.js";

/** What exceeds a maximum. `placeOf` finds a domain's memory by its name, `place` the whole. */
export function checkLimits(
  plan: Plan,
  imageBytes: number,
  place: Place,
  placeOf: (domain: string) => Place,
): readonly Diagnostic[] {
  const fix = "Launch fewer domains, or give domains the same kernel, ramdisk and memory.";
  const guardFix = "Leave out of `after` what others in the list start after.";
  const counts = [
    { what: "domains", found: plan.domains.length, most: MAX_DOMAINS, fix },
    { what: "materials", found: plan.materials.length, most: MAX_MATERIALS, fix },
    { what: "steps", found: plan.steps.length, most: MAX_STEPS, fix },
    { what: "guards", found: plan.guards.length, most: MAX_GUARDS, fix: guardFix },
    { what: "operations", found: plan.operations.length, most: MAX_OPERATIONS, fix },
    { what: "operations to execute", found: workOf(plan), most: MAX_WORK, fix },
  ];
  const full = counts
    .filter(({ found, most }) => found > most)
    .map(({ what, found, most, fix: remedy }) =>
      planRules.diagnose("DOMB4101", {
        place,
        message: `the launch needs ${found} ${what}, wanted ${most} at most`,
        fix: remedy,
      }),
    );
  const image =
    imageBytes <= MAX_IMAGE_BYTES
      ? []
      : [
          planRules.diagnose("DOMB4102", {
            place,
            message: `the image has ${imageBytes} bytes, wanted ${MAX_IMAGE_BYTES} at most`,
            fix: "Use smaller ramdisks, or the same one for several domains.",
          }),
        ];
  const pools = plan.domains
    .filter(({ pagingPoolPages }) => pagingPoolPages > MAX_PAGING_POOL_PAGES)
    .map(({ name, pagingPoolPages }) =>
      planRules.diagnose("DOMB4103", {
        place: placeOf(name),
        message:
          `the paging structures of "${name}" take ${pagingPoolPages} pages, wanted ` +
          `${MAX_PAGING_POOL_PAGES} at most`,
        fix: "Give the domain less memory.",
      }),
    );
  return [...full, ...image, ...pools];
}
