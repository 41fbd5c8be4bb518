// SPDX-License-Identifier: Apache-2.0
// The hypercalls of a launch: each function fills Xen's own structure (offsets from contract/) and
// returns 0, or Xen's errno as a positive number. Xen itself copies into a domain's memory: the
// boot domain never has any of it mapped.

import { DomainRecord, ImageHeader, MACHINE_ARM64, PlanHeader } from "../../contract/image";
import { LABEL_BYTES, PAGE_SIZE, POPULATE_BATCH } from "../../contract/limits";
import { LaunchStatus, ReceiptHeader } from "../../contract/receipt";
import * as xen from "../../contract/xen-abi";
import { imageRead } from "./machine";
import { ARGUMENT, CPUS, FRAMES, headerField, PIECE, PIECE_BYTES, RECEIPT } from "./memory";
import { domainField, domainLabel, planField } from "./plan";
import { receiptBytes, receiptField } from "./receipt";
import { bootDomainOp, domctl, memoryOp, sysctl, xsmOp } from "./xen";

/** Virtual address of linear memory: what Xen takes for a pointer is this plus an address. */
let memoryBase: u64 = 0;

/** First gfn of the image in the boot domain's own memory. */
let imageFrame: u64 = 0;

/** Tells where linear memory and the image lie in the boot domain. */
export function placeMemory(base: u64, frame: u64): void {
  memoryBase = base;
  imageFrame = frame;
}

/** Xen's answer as an errno: what is not negative is no error. */
function errnoOf(answer: i32): u32 {
  return answer < 0 ? <u32>-answer : 0;
}

function clearArgument(bytes: u32): void {
  memory.fill(ARGUMENT, 0, bytes);
}

/** Sets a field of the argument, by its offset. */
function put16(offset: u32, value: u32): void {
  store<u16>(ARGUMENT + offset, value);
}

/** The same, of 32 bits. */
function put32(offset: u32, value: u32): void {
  store<u32>(ARGUMENT + offset, value);
}

/** The same, of 64 bits. */
function put64(offset: u32, value: u64): void {
  store<u64>(ARGUMENT + offset, value);
}

function beginDomctl(command: u32, domid: u32): void {
  clearArgument(xen.xen_domctl_size);
  put32(xen.xen_domctl_cmd_offset, command);
  put32(xen.xen_domctl_interface_version_offset, xen.XEN_DOMCTL_INTERFACE_VERSION);
  put16(xen.xen_domctl_domain_offset, domid);
}

function endDomctl(): u32 {
  return errnoOf(domctl(ARGUMENT));
}

/**
 * FLASK_CONTEXT_TO_SID of `bytes` bytes at `label`, and the zero byte behind them, which Xen 4.23
 * wants; the SID is then in ARGUMENT.
 */
function findLabel(label: u32, bytes: u32): u32 {
  clearArgument(xen.xen_flask_op_size);
  put32(xen.xen_flask_op_cmd_offset, xen.FLASK_CONTEXT_TO_SID);
  put32(xen.xen_flask_op_interface_version_offset, xen.XEN_FLASK_INTERFACE_VERSION);
  put32(xen.xen_flask_op_u_sid_context_size_offset, bytes + 1);
  put64(xen.xen_flask_op_u_sid_context_context_offset, memoryBase + label);
  return errnoOf(xsmOp(ARGUMENT));
}

/** XEN_DOMCTL_createdomain, as the plan's domain record says, with its label if it has one. */
export function createDomain(domain: u32, domid: u32): u32 {
  const label = domainLabel(domain);
  let bytes: u32 = 0;
  let sid: u32 = 0;
  while (bytes < <u32>LABEL_BYTES - 1 && load<u8>(label + bytes) != 0) bytes++;
  if (bytes != 0) {
    const error = findLabel(label, bytes);
    if (error != 0) return error;
    sid = load<u32>(ARGUMENT + xen.xen_flask_op_u_sid_context_sid_offset);
  }
  beginDomctl(xen.XEN_DOMCTL_createdomain, domid);
  put32(xen.xen_domctl_u_createdomain_ssidref_offset, sid);
  put32(xen.xen_domctl_u_createdomain_flags_offset, domainField(domain, DomainRecord.createFlags));
  put32(xen.xen_domctl_u_createdomain_max_vcpus_offset, domainField(domain, DomainRecord.vcpus));
  put32(
    xen.xen_domctl_u_createdomain_max_evtchn_port_offset,
    domainField(domain, DomainRecord.maxEventChannelPort),
  );
  put32(
    xen.xen_domctl_u_createdomain_max_grant_frames_offset,
    domainField(domain, DomainRecord.maxGrantFrames),
  );
  put32(
    xen.xen_domctl_u_createdomain_max_maptrack_frames_offset,
    domainField(domain, DomainRecord.maxMaptrackFrames),
  );
  put32(xen.xen_domctl_u_createdomain_grant_opts_offset, xen.XEN_DOMCTL_GRANT_version_1);
  put32(xen.xen_domctl_u_createdomain_cpupool_id_offset, domainField(domain, DomainRecord.cpuPool));
  // The first two words of xen_arch_domainconfig, whichever the architecture.
  put32(xen.xen_domctl_u_createdomain_arch_offset, domainField(domain, DomainRecord.devices));
  put32(
    xen.xen_domctl_u_createdomain_arch_offset + 4,
    domainField(domain, DomainRecord.sharedInterrupts),
  );
  return endDomctl();
}

/** XEN_DOMCTL_max_vcpus. */
export function allocateVcpus(domid: u32, vcpus: u32): u32 {
  beginDomctl(xen.XEN_DOMCTL_max_vcpus, domid);
  put32(xen.xen_domctl_u_max_vcpus_max_offset, vcpus);
  return endDomctl();
}

/** XEN_DOMCTL_set_paging_mempool_size. */
export function setPagingPool(domid: u32, pages: u32): u32 {
  beginDomctl(xen.XEN_DOMCTL_set_paging_mempool_size, domid);
  put64(xen.xen_domctl_u_paging_mempool_size_offset, <u64>pages * PAGE_SIZE);
  return endDomctl();
}

/** XEN_DOMCTL_max_mem. */
export function limitMemory(domid: u32, pages: u32): u32 {
  beginDomctl(xen.XEN_DOMCTL_max_mem, domid);
  put64(xen.xen_domctl_u_max_mem_max_memkb_offset, <u64>pages * (PAGE_SIZE / 1024));
  return endDomctl();
}

/**
 * XEN_DOMCTL_sethvmcontext, or on arm64 setvcpucontext of vCPU 0, with bytes of the image; what Xen
 * reads behind them is the rest of their page, which is zero.
 */
export function setContext(domid: u32, offset: u32, bytes: u32): u32 {
  imageRead(offset, PIECE, PAGE_SIZE);
  if (headerField(ImageHeader.machine) == MACHINE_ARM64) {
    beginDomctl(xen.XEN_DOMCTL_setvcpucontext, domid);
    put64(xen.xen_domctl_u_vcpucontext_ctxt_offset, memoryBase + PIECE);
    return endDomctl();
  }
  beginDomctl(xen.XEN_DOMCTL_sethvmcontext, domid);
  put32(xen.xen_domctl_u_hvmcontext_size_offset, bytes);
  put64(xen.xen_domctl_u_hvmcontext_buffer_offset, memoryBase + PIECE);
  return endDomctl();
}

/** XEN_DOMCTL_setvcpuaffinity, hard: the physical CPUs on which a vCPU runs, a bit each. */
export function setAffinity(domid: u32, vcpu: u32, lowCpus: u32, highCpus: u32): u32 {
  beginDomctl(xen.XEN_DOMCTL_setvcpuaffinity, domid);
  store<u32>(CPUS, lowCpus);
  store<u32>(CPUS, highCpus, 4);
  put32(xen.xen_domctl_u_vcpuaffinity_vcpu_offset, vcpu);
  put32(xen.xen_domctl_u_vcpuaffinity_flags_offset, xen.XEN_VCPUAFFINITY_HARD);
  put64(xen.xen_domctl_u_vcpuaffinity_cpumap_hard_bitmap_offset, memoryBase + CPUS);
  put32(xen.xen_domctl_u_vcpuaffinity_cpumap_hard_nr_bits_offset, 64);
  return endDomctl();
}

/** XEN_DOMCTL_scheduler_op, putinfo: weight and cap, at one place for both credit schedulers. */
export function setShare(domid: u32, scheduler: u32, weight: u32, cap: u32): u32 {
  beginDomctl(xen.XEN_DOMCTL_scheduler_op, domid);
  put32(xen.xen_domctl_u_scheduler_op_sched_id_offset, scheduler);
  put32(xen.xen_domctl_u_scheduler_op_cmd_offset, xen.XEN_DOMCTL_SCHEDOP_putinfo);
  put16(xen.xen_domctl_u_scheduler_op_u_credit2_weight_offset, weight);
  put16(xen.xen_domctl_u_scheduler_op_u_credit2_cap_offset, cap);
  return endDomctl();
}

/** XEN_SYSCTL_cpupool_op. */
function changePool(operation: u32, pool: u32, scheduler: u32, cpu: u32): u32 {
  clearArgument(xen.xen_sysctl_size);
  put32(xen.xen_sysctl_cmd_offset, xen.XEN_SYSCTL_cpupool_op);
  put32(xen.xen_sysctl_interface_version_offset, xen.XEN_SYSCTL_INTERFACE_VERSION);
  put32(xen.xen_sysctl_u_cpupool_op_op_offset, operation);
  put32(xen.xen_sysctl_u_cpupool_op_cpupool_id_offset, pool);
  put32(xen.xen_sysctl_u_cpupool_op_sched_id_offset, scheduler);
  put32(xen.xen_sysctl_u_cpupool_op_cpu_offset, cpu);
  return errnoOf(sysctl(ARGUMENT));
}

/** Creates a CPU pool. */
export function createPool(pool: u32, scheduler: u32): u32 {
  return changePool(xen.XEN_SYSCTL_CPUPOOL_OP_CREATE, pool, scheduler, 0);
}

/** Moves a physical CPU from pool 0 to another. */
export function moveCpu(pool: u32, cpu: u32): u32 {
  const error = changePool(xen.XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, 0, cpu);
  return error != 0 ? error : changePool(xen.XEN_SYSCTL_CPUPOOL_OP_ADDCPU, pool, 0, cpu);
}

/** XEN_BOOT_DOMAIN_channel: opens a port of a domain, or of the boot domain itself, for `remote`. */
export function openChannel(domid: u32, remote: u32, port: u32): u32 {
  clearArgument(xen.xen_boot_domain_channel_size);
  put16(xen.xen_boot_domain_channel_domid_offset, domid);
  put16(xen.xen_boot_domain_channel_remote_offset, remote);
  put32(xen.xen_boot_domain_channel_port_offset, port);
  return errnoOf(bootDomainOp(xen.XEN_BOOT_DOMAIN_channel, ARGUMENT));
}

/** XEN_BOOT_DOMAIN_grant: `count` pages of a domain's memory, by references of its, for `remote`. */
export function grantPages(
  domid: u32,
  remote: u32,
  reference: u32,
  frame: u64,
  count: u32,
  readOnly: u32,
): u32 {
  clearArgument(xen.xen_boot_domain_grant_size);
  put16(xen.xen_boot_domain_grant_domid_offset, domid);
  put16(xen.xen_boot_domain_grant_remote_offset, remote);
  put32(xen.xen_boot_domain_grant_ref_offset, reference);
  put64(xen.xen_boot_domain_grant_gfn_offset, frame);
  put32(xen.xen_boot_domain_grant_nr_offset, count);
  put32(xen.xen_boot_domain_grant_flags_offset, readOnly);
  return errnoOf(bootDomainOp(xen.XEN_BOOT_DOMAIN_grant, ARGUMENT));
}

/** XEN_BOOT_DOMAIN_wait, for so many nanoseconds at most; what there is to tell is in ARGUMENT. */
export function wait(timeout: u64): u32 {
  clearArgument(xen.xen_boot_domain_wait_size);
  put64(xen.xen_boot_domain_wait_timeout_offset, timeout);
  return errnoOf(bootDomainOp(xen.XEN_BOOT_DOMAIN_wait, ARGUMENT));
}

/** What wait() has heard: 0, or XEN_BOOT_DOMAIN_EVENT_*. */
export function heardEvent(): u32 {
  return load<u32>(ARGUMENT + xen.xen_boot_domain_wait_event_offset);
}

/** Which domain it was. */
export function heardDomid(): u32 {
  return load<u16>(ARGUMENT + xen.xen_boot_domain_wait_domid_offset);
}

/** How it ended: SHUTDOWN_*. */
export function heardReason(): u32 {
  return load<u32>(ARGUMENT + xen.xen_boot_domain_wait_reason_offset);
}

/** XEN_DOMCTL_unpausedomain. */
export function startDomain(domid: u32): u32 {
  beginDomctl(xen.XEN_DOMCTL_unpausedomain, domid);
  return endDomctl();
}

/** XEN_DOMCTL_destroydomain. */
export function destroyDomain(domid: u32): u32 {
  beginDomctl(xen.XEN_DOMCTL_destroydomain, domid);
  return endDomctl();
}

/** XENMEM_populate_physmap; fewer extents than asked for is a lack of memory. */
export function populate(domid: u32, frame: u32, count: u32, order: u32): u32 {
  while (count != 0) {
    const batch = min<u32>(count, POPULATE_BATCH);
    for (let extent: u32 = 0; extent < batch; extent++) {
      store<u64>(FRAMES + extent * 8, frame + (extent << order));
    }
    clearArgument(xen.xen_memory_reservation_size);
    put64(xen.xen_memory_reservation_extent_start_offset, memoryBase + FRAMES);
    put64(xen.xen_memory_reservation_nr_extents_offset, batch);
    put32(xen.xen_memory_reservation_extent_order_offset, order);
    put16(xen.xen_memory_reservation_domid_offset, domid);
    const answer = memoryOp(xen.XENMEM_populate_physmap, ARGUMENT);
    if (answer < 0) return errnoOf(answer);
    if (<u32>answer != batch) return xen.XEN_ENOMEM;
    frame += batch << order;
    count -= batch;
  }
  return 0;
}

/** XEN_BOOT_DOMAIN_copy: `count` pages of the image, from `offset`, to a domain's memory. */
export function copyPages(domid: u32, frame: u32, offset: u32, count: u32): u32 {
  return fill(domid, frame, imageFrame + offset / PAGE_SIZE, count, xen.XEN_BOOT_DOMAIN_copy);
}

/** XEN_BOOT_DOMAIN_clear: `count` pages of a domain's memory become zero. */
export function clearPages(domid: u32, frame: u32, count: u32): u32 {
  return fill(domid, frame, 0, count, xen.XEN_BOOT_DOMAIN_clear);
}

function fill(domid: u32, frame: u64, source: u64, count: u64, command: u32): u32 {
  clearArgument(xen.xen_boot_domain_fill_size);
  put64(xen.xen_boot_domain_fill_gfn_offset, frame);
  put64(xen.xen_boot_domain_fill_source_gfn_offset, source);
  put64(xen.xen_boot_domain_fill_nr_pages_offset, count);
  put16(xen.xen_boot_domain_fill_domid_offset, domid);
  return errnoOf(bootDomainOp(command, ARGUMENT));
}

/**
 * XEN_BOOT_DOMAIN_drop, as the plan's header says: privileges that nobody is to have, privileges and
 * pages of memory that are kept for a recovery plan. Another Xen than ours says EACCES.
 */
export function dropPrivileges(): u32 {
  clearArgument(xen.xen_boot_domain_drop_size);
  put32(xen.xen_boot_domain_drop_privileges_offset, planField(PlanHeader.dropped));
  put32(xen.xen_boot_domain_drop_interface_version_offset, xen.XEN_DOMCTL_INTERFACE_VERSION);
  put32(xen.xen_boot_domain_drop_reserved_offset, planField(PlanHeader.reservedPrivileges));
  put64(xen.xen_boot_domain_drop_reserved_pages_offset, planField(PlanHeader.reservedPages));
  return errnoOf(bootDomainOp(xen.XEN_BOOT_DOMAIN_drop, ARGUMENT));
}

/** XEN_BOOT_DOMAIN_policy: the policy that Xen enforces, its first PIECE_BYTES at most, to PIECE. */
export function readPolicy(): u32 {
  clearArgument(xen.xen_boot_domain_part_size);
  put64(xen.xen_boot_domain_part_buffer_offset, memoryBase + PIECE);
  put32(xen.xen_boot_domain_part_bytes_offset, PIECE_BYTES);
  return errnoOf(bootDomainOp(xen.XEN_BOOT_DOMAIN_policy, ARGUMENT));
}

/** How many bytes of the policy readPolicy() has read. */
export function policyBytes(): u32 {
  return load<u32>(ARGUMENT + xen.xen_boot_domain_part_bytes_offset);
}

/** XEN_BOOT_DOMAIN_exit with what the receipt says. Does not return. */
export function exitBootServices(status: LaunchStatus): void {
  clearArgument(xen.xen_boot_domain_exit_size);
  put32(xen.xen_boot_domain_exit_status_offset, status);
  put32(xen.xen_boot_domain_exit_step_offset, receiptField(ReceiptHeader.step));
  put32(xen.xen_boot_domain_exit_operation_offset, receiptField(ReceiptHeader.operation));
  put32(xen.xen_boot_domain_exit_domain_offset, receiptField(ReceiptHeader.domain));
  put32(xen.xen_boot_domain_exit_error_offset, receiptField(ReceiptHeader.error));
  put32(xen.xen_boot_domain_exit_receipt_bytes_offset, receiptBytes());
  put64(xen.xen_boot_domain_exit_receipt_offset, memoryBase + RECEIPT);
  bootDomainOp(xen.XEN_BOOT_DOMAIN_exit, ARGUMENT);
}
