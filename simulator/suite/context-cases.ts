// SPDX-License-Identifier: Apache-2.0
// Contexts of a vCPU that Xen refuses, or that are unusual: every check of its own, once.

import * as abi from "../../contract/xen-abi.js";
import { type BaseLaunch, withMaterial } from "./base-launch.js";
import { plainCase, type SuiteCase } from "./suite-case.js";

const header = abi.hvm_save_descriptor_size;
const cpuRecord = header + abi.hvm_save_header_size;
const cpu = cpuRecord + abi.hvm_save_descriptor_size;
const mtrrRecord = cpu + abi.hvm_hw_cpu_size;
const mtrr = mtrrRecord + abi.hvm_save_descriptor_size;
const endRecord = mtrr + abi.hvm_hw_mtrr_size;

/** What becomes a 32-bit number at an offset. */
type Change = readonly [what: string, offset: number, value: number];

const changes: readonly Change[] = [
  ["header has another type", abi.hvm_save_descriptor_typecode_offset, 2],
  ["header has another length", abi.hvm_save_descriptor_length_offset, 0x18 + 1],
  ["magic is wrong", header + abi.hvm_save_header_magic_offset, 0],
  ["version is wrong", header + abi.hvm_save_header_version_offset, 2],
  ["vCPU is 1", cpuRecord + abi.hvm_save_descriptor_typecode_offset, 2 | (1 << 16)],
  ["CPU record is longer", cpuRecord + abi.hvm_save_descriptor_length_offset, 0x40c],
  ["CPU record is beyond the end", cpuRecord + abi.hvm_save_descriptor_length_offset, 0xffffff],
  ["CR0 has ET clear", cpu + abi.hvm_hw_cpu_cr0_offset, 0x1],
  ["CR0 has paging without protection", cpu + abi.hvm_hw_cpu_cr0_offset, 0x80000010],
  ["CR0 has unknown bits", cpu + abi.hvm_hw_cpu_cr0_offset, 0x51],
  ["CR0 has bits above 32", cpu + abi.hvm_hw_cpu_cr0_offset + 4, 1],
  ["CR0 has no protection", cpu + abi.hvm_hw_cpu_cr0_offset, 0x10],
  ["CR3 is too high", cpu + abi.hvm_hw_cpu_cr3_offset + 4, 0x10000000],
  ["CR4 has PAE", cpu + abi.hvm_hw_cpu_cr4_offset, 0x20],
  ["CR4 has unknown bits", cpu + abi.hvm_hw_cpu_cr4_offset, 0x80000000],
  ["EFER has unknown bits", cpu + abi.hvm_hw_cpu_msr_efer_offset, 2],
  ["EFER has LMA without paging", cpu + abi.hvm_hw_cpu_msr_efer_offset, 0x500],
  ["EFER has SVME", cpu + abi.hvm_hw_cpu_msr_efer_offset, 0x1000],
  ["flags are unknown", cpu + abi.hvm_hw_cpu_flags_offset, 2],
  ["flags say that the FPU is set", cpu + abi.hvm_hw_cpu_flags_offset, 1],
  ["padding is not zero", cpu + abi.hvm_hw_cpu_pad0_offset, 1],
  ["TSC_AUX is above 32 bits", cpu + abi.hvm_hw_cpu_msr_tsc_aux_offset + 4, 1],
  ["event is of type 1", cpu + abi.hvm_hw_cpu_pending_event_offset, 0x80000100],
  ["event is of type 5", cpu + abi.hvm_hw_cpu_pending_event_offset, 0x80000500],
  ["event has reserved bits", cpu + abi.hvm_hw_cpu_pending_event_offset, 0x80001000],
  ["event is none", cpu + abi.hvm_hw_cpu_pending_event_offset, 0x00000500],
  ["MTRR record is shorter", mtrrRecord + abi.hvm_save_descriptor_length_offset, 8],
  [
    "MTRR record is of vCPU 1",
    mtrrRecord + abi.hvm_save_descriptor_typecode_offset,
    14 | (1 << 16),
  ],
  ["MTRRs are 8", mtrr + abi.hvm_hw_mtrr_msr_mtrr_cap_offset, 0x508],
  ["MTRRs are 9", mtrr + abi.hvm_hw_mtrr_msr_mtrr_cap_offset, 0x509],
  ["MTRRs are 255", mtrr + abi.hvm_hw_mtrr_msr_mtrr_cap_offset, 0x5ff],
  ["end is of an unknown type", endRecord + abi.hvm_save_descriptor_typecode_offset, 99],
];

/** Each change of the base's context, and cuts of it. */
export function contextCases(base: BaseLaunch): readonly SuiteCase[] {
  const index = base.plan.materials.findIndex(({ kind }) => kind === "vcpuContext");
  const context = base.materials[index] ?? new Uint8Array();
  const changed = changes.map(([what, offset, value]) => {
    const bytes = context.slice();
    new DataView(bytes.buffer).setUint32(offset, value, true);
    return plainCase(`context: ${what}`, withMaterial(base, index, bytes));
  });
  const borders = [1, 7, 8, cpuRecord - 1, cpuRecord, cpu, mtrrRecord, mtrr, endRecord];
  const cut = borders.map((bytes) =>
    plainCase(`context: cut to ${bytes} bytes`, withMaterial(base, index, context.slice(0, bytes))),
  );
  return [...changed, ...cut];
}
