// SPDX-License-Identifier: Apache-2.0
// Launches with labels and for a FLASK policy, on a Xen that enforces it, another one, or none.

import { MAX_POLICY_BYTES } from "../../contract/limits.js";
import { type BaseLaunch, withDomain, withPlan } from "./base-launch.js";
import { plainCase, type SuiteCase } from "./suite-case.js";

/** `labelled` is for `policy`. */
export function labelCases(labelled: BaseLaunch, policy: Uint8Array): readonly SuiteCase[] {
  const { policyBytes } = labelled.plan;
  const anyPolicy = withPlan(labelled, { policyBytes: 0 });
  const withLabel = (label: string): Uint8Array => withDomain(labelled, 1, { label });
  const longer = Buffer.concat([policy, Buffer.alloc(1)]);
  const longest = Buffer.concat([policy, Buffer.alloc(MAX_POLICY_BYTES + 1 - policy.length)]);
  return [
    plainCase("labels, and the policy is the plan's", labelled.image, policy),
    plainCase("labels, and any policy will do", anyPolicy, policy),
    plainCase("labels, and no FLASK", anyPolicy),
    plainCase("labels and a policy, and no FLASK", labelled.image),
    plainCase("a label that the policy does not have", withLabel("system_u:system_r:x"), policy),
    plainCase("a label of 63 characters", withLabel(`system_u:system_r:${"x".repeat(45)}`), policy),
    plainCase("a domain without label", withLabel(""), policy),
    plainCase("a policy that is one byte longer", labelled.image, longer),
    plainCase("a policy that is longer than is read", labelled.image, longest),
    ...[-1, 1].map((more) =>
      plainCase(
        `a plan for a policy of ${Math.abs(more)} byte ${more < 0 ? "less" : "more"}`,
        withPlan(labelled, { policyBytes: policyBytes + more }),
        policy,
      ),
    ),
    ...[0, 1].map((more) =>
      plainCase(
        `a plan for a policy of ${MAX_POLICY_BYTES + more} bytes`,
        withPlan(labelled, { policyBytes: MAX_POLICY_BYTES + more }),
        policy,
      ),
    ),
    plainCase(
      "a plan for a policy with another digest",
      withPlan(labelled, { policyDigest: "5".repeat(64) }),
      policy,
    ),
  ];
}
