// SPDX-License-Identifier: Apache-2.0
// What becomes of each key of an ImageBuilder configuration: the source of docs/importing.md, and
// what the importer goes by. ImageBuilder's README describes them.

import type { KeyTable } from "./report.js";

const noDevices = "domb gives devices to no domain";
const noDom0 = "there is no dom0";
const noUBoot = "U-Boot loads one launch image, and its script is yours";
const noSharing = "caches are not divided between domains";
const onePool = "not carried over: `pools` and `pool` of the description say it";
const noLinux = "Linux without Xen is no launch";
const noDisk = "domb makes no disks";

/** Keys of the whole set-up; those with a number in brackets are named without it. */
export const hostKeys: KeyTable = {
  DEVICE_TREE: { treatment: "kept", because: "host.board" },
  XEN: { treatment: "dropped", because: "a launch runs on domb's Xen" },
  XEN_CMD: {
    treatment: "changed",
    because: "options to give Xen beside those that `domb check` names; those of dom0 are left out",
  },
  XEN_POLICY: { treatment: "kept", because: "policy.xsm" },
  XEN_COLORS: { treatment: "dropped", because: noSharing },
  XEN_STATIC_HEAP: { treatment: "dropped", because: "a launch does not place Xen's heap" },
  XEN_LOAD: { treatment: "dropped", because: noUBoot },
  NUM_DOMUS: { treatment: "kept", because: "the number of domains" },
  DOM0_KERNEL: { treatment: "dropped", because: noDom0 },
  DOM0_RAMDISK: { treatment: "dropped", because: noDom0 },
  DOM0_CMD: { treatment: "dropped", because: noDom0 },
  DOM0_MEM: { treatment: "dropped", because: noDom0 },
  DOM0_VCPUS: { treatment: "dropped", because: noDom0 },
  DOM0_COLORS: { treatment: "dropped", because: noDom0 },
  DOM0_ROOTFS: { treatment: "dropped", because: noDom0 },
  DOM0_LOAD: { treatment: "dropped", because: noDom0 },
  DOM0_VIOMMU: { treatment: "dropped", because: noDom0 },
  MEMORY_START: { treatment: "dropped", because: "the board's device tree says where memory is" },
  MEMORY_END: { treatment: "dropped", because: "the board's device tree says where memory is" },
  LOAD_CMD: { treatment: "dropped", because: noUBoot },
  BOOT_CMD: { treatment: "dropped", because: noUBoot },
  UBOOT_SOURCE: { treatment: "dropped", because: noUBoot },
  UBOOT_SCRIPT: { treatment: "dropped", because: noUBoot },
  APPEND_EXTRA_CMDS: { treatment: "dropped", because: noUBoot },
  FDTEDIT: { treatment: "dropped", because: "the board's device tree is not edited" },
  NUM_DT_OVERLAY: { treatment: "dropped", because: "merge overlays into the board's tree first" },
  DT_OVERLAY: { treatment: "dropped", because: "merge overlays into the board's tree first" },
  FIT: { treatment: "dropped", because: "a launch is one image, with signatures of its own" },
  FIT_ENC_KEY_DIR: { treatment: "dropped", because: "keys are given to `domb build`" },
  FIT_ENC_UB_DTB: { treatment: "dropped", because: "keys are given to `domb trust`" },
  BITSTREAM: { treatment: "dropped", because: noUBoot },
  PASSTHROUGH_DTS_REPO: { treatment: "dropped", because: noDevices },
  LOPPER_PATH: { treatment: "dropped", because: noDevices },
  LOPPER_CMD: { treatment: "dropped", because: noDevices },
  NUM_CPUPOOLS: { treatment: "dropped", because: onePool },
  CPUPOOL: { treatment: "dropped", because: onePool },
  LINUX: { treatment: "dropped", because: noLinux },
  LINUX_CMD: { treatment: "dropped", because: noLinux },
  LINUX_RAMDISK: { treatment: "dropped", because: noLinux },
  LINUX_ROOTFS: { treatment: "dropped", because: noLinux },
  NUM_BOOT_AUX_FILE: { treatment: "dropped", because: noDisk },
  BOOT_AUX_FILE: { treatment: "dropped", because: noDisk },
  NUM_BOOT_AUX_SCRIPT: { treatment: "dropped", because: noDisk },
  BOOT_AUX_SCRIPT: { treatment: "dropped", because: noDisk },
  GPT: { treatment: "dropped", because: noDisk },
  ALIGN: { treatment: "dropped", because: noDisk },
};

/** Keys of one domain, each with its number in brackets. */
export const domainKeys: KeyTable = {
  DOMU_KERNEL: { treatment: "kept", because: "kernel" },
  DOMU_RAMDISK: { treatment: "kept", because: "ramdisk" },
  DOMU_CMD: { treatment: "kept", because: "cmdline; ImageBuilder's default without it" },
  DOMU_MEM: { treatment: "kept", because: "memory, in MiB; ImageBuilder's default is 512 MiB" },
  DOMU_VCPUS: { treatment: "kept", because: "vcpus; ImageBuilder's default is 1" },
  DOMU_DOMID: { treatment: "kept", because: "domid" },
  DOMU_VPL011: {
    treatment: "changed",
    because: "output: xen-log, a PL011 that Xen's log shows; ImageBuilder's default is 1",
  },
  DOMU_VUART_PL011: {
    treatment: "changed",
    because: "output: xen-log; a PL011 of its own kind is not made",
  },
  DOMU_CAPS: {
    treatment: "changed",
    because: "roles: control and xenstore; hardware is given to no domain",
  },
  DOMU_STATIC_MEM: {
    treatment: "dropped",
    because: "Xen chooses where a domain's memory lies in the host",
  },
  DOMU_DIRECT_MAP: { treatment: "dropped", because: "a domain's addresses are not the host's" },
  DOMU_COLORS: { treatment: "dropped", because: noSharing },
  DOMU_PASSTHROUGH_PATHS: { treatment: "dropped", because: noDevices },
  DOMU_PASSTHROUGH_DTB: { treatment: "dropped", because: noDevices },
  DOMU_PASSTHROUGH_PROP: { treatment: "dropped", because: noDevices },
  DOMU_VIOMMU: { treatment: "dropped", because: noDevices },
  DOMU_NR_SPIS: { treatment: "dropped", because: `${noDevices}, nor their interrupts` },
  DOMU_ENHANCED: {
    treatment: "dropped",
    because: "domb makes no xenstore page; what is allowed beyond is the FLASK policy's matter",
  },
  DOMU_GRANT_VER: { treatment: "dropped", because: "the launch plan sets it" },
  DOMU_GRANT_FRAMES: { treatment: "dropped", because: "the launch plan sets it" },
  DOMU_MAPTRACK_FRAMES: { treatment: "dropped", because: "the launch plan sets it" },
  DOMU_P2M_MEM_MB: {
    treatment: "dropped",
    because: "the compiler reckons how much a domain's page tables need",
  },
  DOMU_TRAP_UNMAP: {
    treatment: "dropped",
    because: "Xen's default holds: such an access is a fault",
  },
  DOMU_SHARED_MEM: {
    treatment: "dropped",
    because: "its addresses are fixed in each domain; `links` shares memory by grants",
  },
  DOMU_STATIC_EVTCHNS: {
    treatment: "dropped",
    because:
      "its ports are numbers that drivers expect; `links` tells each domain its port by name",
  },
  DOMU_VCPU_HARD_AFFINITY: {
    treatment: "dropped",
    because: "not carried over: `cpus` and `pinned` of the description say it",
  },
  DOMU_CPUPOOL: { treatment: "dropped", because: onePool },
  DOMU_DRIVER_DOMAIN: { treatment: "dropped", because: noDevices },
  DOMU_LOAD: { treatment: "dropped", because: noUBoot },
  DOMU_NOBOOT: { treatment: "dropped", because: "with the domain, which is not started at boot" },
  DOMU_ROOTFS: { treatment: "dropped", because: "with the domain, which dom0 starts from a disk" },
};
