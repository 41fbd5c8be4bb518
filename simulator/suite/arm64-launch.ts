// SPDX-License-Identifier: Apache-2.0
// A launch of x86-64 as one of arm64: domains with a GICv3, memory where Xen puts it on Arm, contexts
// of vCPUs as Arm has them. The kernels stay what they are: nothing runs them in the simulator.

import { createHash } from "node:crypto";
import { encodeImage, encodeRecovery, type PlanTarget } from "../../compiler/image/encode-image.js";
import type { Plan, PlanMaterial, PlanOperation } from "../../compiler/plan/plan.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import * as arm64 from "../../contract/xen-abi-arm64.js";

/** A plan, and the bytes of its materials. */
export interface LaunchParts {
  readonly plan: Plan;
  readonly materials: readonly Uint8Array[];
}

export interface Arm64Launch extends LaunchParts {
  readonly architecture: "arm64";
  readonly image: Uint8Array;
  /** The recovery plan as the image begins with it. */
  readonly recovery: Uint8Array | undefined;
}

const FIRST_FRAME = arm64.GUEST_RAM0_BASE / PAGE_SIZE;
/** As many as one rank of the virtual GIC has. */
const SHARED_INTERRUPTS = 32;

/** The vcpu_guest_context with which a kernel starts. */
function startContext(): Uint8Array {
  const bytes = new Uint8Array(arm64.vcpu_guest_context_size);
  const view = new DataView(bytes.buffer);
  const u64 = (offset: number, value: number): void => {
    view.setBigUint64(offset, BigInt(value), true);
  };
  view.setUint32(arm64.vcpu_guest_context_flags_offset, arm64.VGCF_online, true);
  u64(arm64.vcpu_guest_context_user_regs_pc64_offset, arm64.GUEST_RAM0_BASE);
  u64(arm64.vcpu_guest_context_user_regs_cpsr_offset, arm64.PSR_GUEST64_INIT);
  u64(arm64.vcpu_guest_context_sctlr_offset, arm64.SCTLR_GUEST_INIT);
  return bytes;
}

function moved(operation: PlanOperation): PlanOperation {
  return "frame" in operation ? { ...operation, frame: operation.frame + FIRST_FRAME } : operation;
}

/** The launch for arm64, with its recovery plan if it has one; all materials stay where they were. */
export function onArm64(
  { recovery, ...launch }: LaunchParts & { readonly recovery?: LaunchParts | undefined },
  target: PlanTarget = {},
): Arm64Launch {
  const forArm64 = { ...target, architecture: "arm64" } as const;
  const { plan, materials } = partsOnArm64(launch);
  const other = recovery && partsOnArm64(recovery);
  const before = other && encodeRecovery(other.plan, other.materials, forArm64);
  const image = encodeImage(plan, materials, { ...forArm64, recovery: before });
  return { architecture: "arm64", plan, materials, image, recovery: before };
}

function partsOnArm64(launch: LaunchParts): LaunchParts {
  const context = startContext();
  const digest = createHash("sha256").update(context).digest("hex");
  const isContext = ({ kind }: PlanMaterial): boolean => kind === "vcpuContext";
  const plan: Plan = {
    ...launch.plan,
    domains: launch.plan.domains.map((domain) => ({
      ...domain,
      devices: arm64.XEN_DOMCTL_CONFIG_GIC_V3,
      sharedInterrupts: SHARED_INTERRUPTS,
    })),
    materials: launch.plan.materials.map((material) =>
      isContext(material) ? { ...material, bytes: context.length, digest } : material,
    ),
    operations: launch.plan.operations.map(moved),
  };
  const materials = launch.plan.materials.map((material, index) =>
    isContext(material) ? context : (launch.materials[index] ?? new Uint8Array()),
  );
  return { plan, materials };
}
