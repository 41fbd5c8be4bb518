// SPDX-License-Identifier: Apache-2.0
// The label of each domain, held against the policy where there is one. Without a policy at hand
// labels are taken as they are: Xen then has the only word on them.

import { MAX_POLICY_BYTES } from "../../contract/limits.js";
import { type FlaskPolicy, labelFault, readFlaskPolicy } from "../../xen-model/flask-policy.js";
import type { DomainDescription, LaunchDescription } from "../description/description.js";
import { nearestName } from "../description/nearest-name.js";
import type { Diagnostic, Result } from "../diagnostics/diagnostic.js";
import type { MaterialFile } from "../materials/material-file.js";
import { policyRules } from "./rules.js";

/** What a domain without the key is under a policy: hypervisor/flask/policy.ts declares it. */
export const DEFAULT_LABEL = "system_u:system_r:initial_t";

/** Label of each domain that has one, by the domain's name. */
export type Labels = ReadonlyMap<string, string>;

/** Finds and checks all labels. `policy` is the description's file, if it has one. */
export function labelDomains(
  description: LaunchDescription,
  policy: MaterialFile | undefined,
): Result<Labels> {
  if (policy === undefined) return { ok: true, value: given(description), diagnostics: [] };
  const { place, path, bytes } = policy;
  if (bytes.length > MAX_POLICY_BYTES) {
    return failed("DOMB4502", {
      place,
      message: `${path}: the policy has ${bytes.length} bytes, wanted at most ${MAX_POLICY_BYTES}`,
      fix: "Leave out the modules that no domain of the launch needs.",
    });
  }
  const read = readFlaskPolicy(bytes);
  if (typeof read === "string") {
    return failed("DOMB4501", {
      place,
      message: `${path}: this is no FLASK policy of Xen's: ${read}`,
      fix: "Name the binary policy, made by `checkpolicy -t Xen`, not its text.",
    });
  }
  const labels = new Map(
    description.domains.map(({ name, label }) => [name, label ?? DEFAULT_LABEL]),
  );
  const diagnostics = description.domains.flatMap((domain) =>
    checkLabel(description, domain, read),
  );
  return diagnostics.length === 0
    ? { ok: true, value: labels, diagnostics }
    : { ok: false, diagnostics };
}

function given({ domains }: LaunchDescription): Labels {
  return new Map(
    domains.flatMap(({ name, label }) => (label === undefined ? [] : [[name, label] as const])),
  );
}

function failed(
  code: Parameters<typeof policyRules.diagnose>[0],
  what: Parameters<typeof policyRules.diagnose>[1],
): Extract<Result<never>, { ok: false }> {
  return { ok: false, diagnostics: [policyRules.diagnose(code, what)] };
}

function checkLabel(
  description: LaunchDescription,
  { name, label }: DomainDescription,
  policy: FlaskPolicy,
): readonly Diagnostic[] {
  const fault = labelFault(policy, label ?? DEFAULT_LABEL);
  if (fault === undefined) return [];
  const { part, predicate, choices } = fault;
  const near = nearestName(part, choices);
  const which = label === undefined ? `the default label ${DEFAULT_LABEL}` : `label ${label}`;
  const all = choices.length > 0 && choices.length <= 8 ? ` It has: ${choices.join(", ")}.` : "";
  return [
    policyRules.diagnose("DOMB4503", {
      place: description.placeOf(["domains", name, "label"]),
      message: `${which} of domain ${name} ${predicate}`,
      fix:
        near === undefined
          ? `Give the domain a label of the policy, or the policy that label.${all}`
          : `Did you mean \`${near}\`?`,
    }),
  ];
}
