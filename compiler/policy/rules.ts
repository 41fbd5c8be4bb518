// SPDX-License-Identifier: Apache-2.0
// What can be wrong with the FLASK policy of a launch, and with the labels of its domains.

import { MAX_POLICY_BYTES } from "../../contract/limits.js";
import { defineRules } from "../diagnostics/rules.js";

export const policyRules = defineRules({
  DOMB4501: {
    slug: "policy-malformed",
    title: "the FLASK policy can't be read",
    severity: "error",
    explanation:
      "The key `xsm` names a binary policy, as checkpolicy makes it of the text for the target Xen.",
    example: "policy: { xsm: ./policy.te }",
  },
  DOMB4502: {
    slug: "policy-too-large",
    title: "the FLASK policy is larger than the boot domain reads",
    severity: "error",
    explanation: `The boot domain holds the policy that Xen enforces against the one of the launch; it has room for ${MAX_POLICY_BYTES} bytes.`,
    example: "a policy with thousands of types",
  },
  DOMB4503: {
    slug: "unknown-label",
    title: "the FLASK policy has no such label",
    severity: "error",
    explanation:
      "User, role and type must be names of the policy, and go together in it. Xen would refuse " +
      "the domain's creation, and the launch would fail before anything has started.",
    example: "label: system_u:system_r:other_t",
  },
});
