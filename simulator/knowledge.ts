// SPDX-License-Identifier: Apache-2.0
// What is worked out of an image once, since the same image is launched many times: its plans, what
// of its materials is intact, and how a launch of it must go.

import { createHash } from "node:crypto";
import type { Plan } from "../compiler/plan/plan.js";
import { decodeTrust } from "../compiler/signature/trust.js";
import {
  type ExaminedPlan,
  type ExaminedPlans,
  examinePlans,
  type IntactMaterials,
  intactMaterials,
} from "./examine-plans.js";
import { LaunchFollower } from "./promises/follow-launch.js";

/** What decides what an image is for a boot domain. */
export interface ImageSetting {
  /** The host's architecture, as in ImageHeader.machine. */
  readonly machine: number;
  /** Whom the boot domain trusts, a TrustRecord; undefined: nobody. */
  readonly trust?: Uint8Array | undefined;
}

export interface Knowledge extends ImageSetting {
  readonly plans: ExaminedPlans;
  readonly intact: (examined: ExaminedPlan) => IntactMaterials | undefined;
}

const known = new WeakMap<Uint8Array, Knowledge>();

/** What is known of an image for such a boot domain. */
export function knowledgeOf(image: Uint8Array, { machine, trust }: ImageSetting): Knowledge {
  const found = known.get(image);
  if (found?.machine === machine && found.trust === trust) return found;
  const plans = examinePlans(image, trust && decodeTrust(trust), machine);
  const intact = new Map<ExaminedPlan, IntactMaterials>();
  const knowledge: Knowledge = {
    ...{ machine, trust, plans },
    intact: (examined) => {
      const { plan } = examined;
      if (plan === undefined) return undefined;
      const materials = intact.get(examined) ?? intactMaterials(image, plan, machine);
      intact.set(examined, materials);
      return materials;
    },
  };
  known.set(image, knowledge);
  return knowledge;
}

const policyRecords = new WeakMap<Uint8Array, Pick<Plan, "policyBytes" | "policyDigest">>();

/** What a plan for the policy says of it. */
function policyRecord(policy: Uint8Array | undefined) {
  if (policy === undefined) return undefined;
  const record = policyRecords.get(policy) ?? {
    policyBytes: policy.length,
    policyDigest: createHash("sha256").update(policy).digest("hex"),
  };
  policyRecords.set(policy, record);
  return record;
}

/** Follows a launch of an image on a host that enforces a FLASK policy, or none. */
export function followerOf(
  image: Uint8Array,
  setting: ImageSetting,
  policy?: Uint8Array,
): LaunchFollower {
  const { plans, intact } = knowledgeOf(image, setting);
  return new LaunchFollower(plans, {
    policy: policyRecord(policy),
    isIntact: (examined, material) => intact(examined)?.materials[material] === true,
  });
}
