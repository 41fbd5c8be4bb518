// SPDX-License-Identifier: Apache-2.0
// The state in which vCPUs start, as Xen's HVM save records (arch-x86/hvm/save.h). vCPU 0 is in 32-bit
// protected mode without paging, flat segments, ebx at hvm_start_info (docs/misc/pvh.pandoc); it starts
// the others, whose memory is cached as its own: nobody else sets their MTRRs.

import { MAX_CONTEXT_BYTES } from "../../../contract/limits.js";
import {
  HVM_FILE_MAGIC,
  HVM_FILE_VERSION,
  HVM_SAVE_CODE_CPU,
  HVM_SAVE_CODE_END,
  HVM_SAVE_CODE_HEADER,
  HVM_SAVE_CODE_MTRR,
  hvm_hw_cpu_cr0_offset,
  hvm_hw_cpu_cs_arbytes_offset,
  hvm_hw_cpu_cs_limit_offset,
  hvm_hw_cpu_dr6_offset,
  hvm_hw_cpu_dr7_offset,
  hvm_hw_cpu_ds_arbytes_offset,
  hvm_hw_cpu_ds_limit_offset,
  hvm_hw_cpu_es_arbytes_offset,
  hvm_hw_cpu_es_limit_offset,
  hvm_hw_cpu_rbx_offset,
  hvm_hw_cpu_rflags_offset,
  hvm_hw_cpu_rip_offset,
  hvm_hw_cpu_size,
  hvm_hw_cpu_ss_arbytes_offset,
  hvm_hw_cpu_ss_limit_offset,
  hvm_hw_cpu_tr_arbytes_offset,
  hvm_hw_cpu_tr_limit_offset,
  hvm_hw_mtrr_msr_mtrr_cap_offset,
  hvm_hw_mtrr_msr_mtrr_def_type_offset,
  hvm_hw_mtrr_msr_pat_cr_offset,
  hvm_hw_mtrr_size,
  hvm_save_descriptor_instance_offset,
  hvm_save_descriptor_length_offset,
  hvm_save_descriptor_size,
  hvm_save_descriptor_typecode_offset,
  hvm_save_header_magic_offset,
  hvm_save_header_size,
  hvm_save_header_version_offset,
} from "../../../contract/xen-abi.js";
import { type StructureWriter, writeStructure } from "../structures.js";

/** CR0: protection enabled, extension type (always one). */
const CR0 = 0x11;
/** RFLAGS: only the bit that is always one. */
const RFLAGS = 0x2;
/** Debug registers as after a reset. */
const DR6 = 0xffff0ff0;
const DR7 = 0x400;
/** The whole of 4 GiB. */
const FLAT_LIMIT = 0xffffffff;
/** Access rights: present, ring 0, 4 KiB granularity, 32 bits; code or data, accessed. */
const CODE_RIGHTS = 0xc9b;
const DATA_RIGHTS = 0xc93;
/** A busy 32-bit task state segment without an I/O bitmap: a CPU must have one. */
const TASK_RIGHTS = 0x8b;
const TASK_LIMIT = 0x67;
/** Page attribute table as after a reset. */
const PAT = 0x0007040600070406n;
/** What an HVM vCPU's MTRRs can do: 8 variable ranges, fixed ranges, write-combining. */
const MTRR_CAPABILITIES = 0x508;
/** MTRRs enabled, all memory write-back. */
const MTRR_DEFAULT_TYPE = 0x806;

interface SaveRecord {
  readonly typecode: number;
  readonly vcpu: number;
  readonly bytes: number;
  write(record: StructureWriter): void;
}

const header: SaveRecord = {
  typecode: HVM_SAVE_CODE_HEADER,
  vcpu: 0,
  bytes: hvm_save_header_size,
  write: writeHeader,
};
const end: SaveRecord = { typecode: HVM_SAVE_CODE_END, vcpu: 0, bytes: 0, write: () => {} };

function cachingOf(vcpu: number): SaveRecord {
  return { typecode: HVM_SAVE_CODE_MTRR, vcpu, bytes: hvm_hw_mtrr_size, write: writeCaching };
}

/**
 * The contexts of so many vCPUs, of which the first starts at `entry` with ebx = `startInfo`, both
 * below 4 GiB. Each has records for as many vCPUs as a context holds. vCPU 0's registers are in the last
 * one: each context takes every vCPU down that it has no registers of (hvm_load(), hvm/save.c).
 */
export function encodeVcpuContexts(
  entry: number,
  startInfo: number,
  vcpus: number,
): readonly Uint8Array[] {
  const registers: SaveRecord = {
    typecode: HVM_SAVE_CODE_CPU,
    vcpu: 0,
    bytes: hvm_hw_cpu_size,
    write: (record) => writeRegisters(record, entry, startInfo),
  };
  const contexts: Uint8Array[] = [];
  let records = [header, registers];
  for (let vcpu = 0; vcpu < vcpus; vcpu++) {
    const caching = cachingOf(vcpu);
    if (sizeOf([...records, caching, end]) > MAX_CONTEXT_BYTES) {
      contexts.push(encodeRecords([...records, end]));
      records = [header];
    }
    records.push(caching);
  }
  contexts.push(encodeRecords([...records, end]));
  return contexts.reverse();
}

function sizeOf(records: readonly SaveRecord[]): number {
  return records.reduce((sum, { bytes }) => sum + hvm_save_descriptor_size + bytes, 0);
}

function encodeRecords(records: readonly SaveRecord[]): Uint8Array {
  const context = new Uint8Array(sizeOf(records));
  const view = new DataView(context.buffer);
  let at = 0;
  for (const { typecode, vcpu, bytes, write } of records) {
    view.setUint16(at + hvm_save_descriptor_typecode_offset, typecode, true);
    view.setUint16(at + hvm_save_descriptor_instance_offset, vcpu, true);
    view.setUint32(at + hvm_save_descriptor_length_offset, bytes, true);
    at += hvm_save_descriptor_size;
    write(writeStructure(context, at));
    at += bytes;
  }
  return context;
}

function writeHeader(record: StructureWriter): void {
  record.set32(hvm_save_header_magic_offset, HVM_FILE_MAGIC);
  record.set32(hvm_save_header_version_offset, HVM_FILE_VERSION);
}

function writeRegisters(record: StructureWriter, entry: number, startInfo: number): void {
  record.set64(hvm_hw_cpu_rip_offset, entry);
  record.set64(hvm_hw_cpu_rbx_offset, startInfo);
  record.set64(hvm_hw_cpu_rflags_offset, RFLAGS);
  record.set64(hvm_hw_cpu_cr0_offset, CR0);
  record.set64(hvm_hw_cpu_dr6_offset, DR6);
  record.set64(hvm_hw_cpu_dr7_offset, DR7);
  record.set32(hvm_hw_cpu_cs_limit_offset, FLAT_LIMIT);
  record.set32(hvm_hw_cpu_ds_limit_offset, FLAT_LIMIT);
  record.set32(hvm_hw_cpu_es_limit_offset, FLAT_LIMIT);
  record.set32(hvm_hw_cpu_ss_limit_offset, FLAT_LIMIT);
  record.set32(hvm_hw_cpu_tr_limit_offset, TASK_LIMIT);
  record.set32(hvm_hw_cpu_cs_arbytes_offset, CODE_RIGHTS);
  record.set32(hvm_hw_cpu_ds_arbytes_offset, DATA_RIGHTS);
  record.set32(hvm_hw_cpu_es_arbytes_offset, DATA_RIGHTS);
  record.set32(hvm_hw_cpu_ss_arbytes_offset, DATA_RIGHTS);
  record.set32(hvm_hw_cpu_tr_arbytes_offset, TASK_RIGHTS);
}

function writeCaching(record: StructureWriter): void {
  record.set64(hvm_hw_mtrr_msr_pat_cr_offset, PAT);
  record.set64(hvm_hw_mtrr_msr_mtrr_cap_offset, MTRR_CAPABILITIES);
  record.set64(hvm_hw_mtrr_msr_mtrr_def_type_offset, MTRR_DEFAULT_TYPE);
}
