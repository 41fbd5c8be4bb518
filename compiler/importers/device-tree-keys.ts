// SPDX-License-Identifier: Apache-2.0
// What becomes of each key of a device tree that Xen starts domains by: the source of
// docs/importing.md, and what the importer goes by. Xen describes them in
// docs/misc/arm/device-tree/booting.txt and in passthrough.txt beside it.

import type { KeyTable } from "./report.js";

const noDevices = "domb gives devices to no domain";
const noDom0 = "there is no dom0";
const cellCount = "only says how numbers beside it are written";

/** Properties of `/chosen`. Those that are kept stay in the board's tree. */
export const chosenProperties: KeyTable = {
  "#address-cells": { treatment: "kept", because: "stays in the board's tree" },
  "#size-cells": { treatment: "kept", because: "stays in the board's tree" },
  "stdout-path": { treatment: "kept", because: "stays in the board's tree" },
  "xen,xen-bootargs": {
    treatment: "changed",
    because: "options to give Xen beside those that `domb check` names; those of dom0 are left out",
  },
  "xen,dom0-bootargs": { treatment: "dropped", because: noDom0 },
  bootargs: {
    treatment: "dropped",
    because: `${noDom0}; where Xen would read its options from it, they are told as Xen's`,
  },
  "linux,initrd-start": { treatment: "dropped", because: noDom0 },
  "linux,initrd-end": { treatment: "dropped", because: noDom0 },
  "kaslr-seed": { treatment: "dropped", because: "differs at each start" },
  "rng-seed": { treatment: "dropped", because: "differs at each start" },
  "xen,static-heap": {
    treatment: "dropped",
    because: "a launch does not place Xen's heap; the boot loader's tree still may",
  },
  "xen,uefi-cfg-load": {
    treatment: "dropped",
    because: "`domb media` says what EFI starts",
  },
};

/** Properties of a node compatible with `xen,domain`. */
export const domainProperties: KeyTable = {
  compatible: { treatment: "kept", because: "makes the node a domain" },
  "#address-cells": { treatment: "dropped", because: cellCount },
  "#size-cells": { treatment: "dropped", because: cellCount },
  memory: { treatment: "kept", because: "memory" },
  cpus: { treatment: "kept", because: "vcpus" },
  domid: { treatment: "kept", because: "domid" },
  vpl011: { treatment: "changed", because: "output: xen-log, a PL011 that Xen's log shows" },
  capabilities: {
    treatment: "changed",
    because: "roles: control and xenstore; hardware is given to no domain",
  },
  "xen,static-mem": {
    treatment: "dropped",
    because: "Xen chooses where a domain's memory lies in the host",
  },
  "direct-map": { treatment: "dropped", because: "a domain's addresses are not the host's" },
  nr_spis: { treatment: "dropped", because: `${noDevices}, nor their interrupts` },
  passthrough: { treatment: "dropped", because: noDevices },
  viommu: { treatment: "dropped", because: noDevices },
  "llc-colors": { treatment: "dropped", because: "caches are not divided between domains" },
  colors: { treatment: "dropped", because: "caches are not divided between domains" },
  "domain-cpupool": {
    treatment: "dropped",
    because: "not carried over: `pools` and `pool` of the description say it",
  },
  sve: { treatment: "dropped", because: "domains get no SVE" },
  "trap-unmapped-accesses": {
    treatment: "dropped",
    because: "Xen's default holds: such an access is a fault",
  },
  "xen,enhanced": {
    treatment: "dropped",
    because: "domb makes no xenstore page; what is allowed beyond is the FLASK policy's matter",
  },
  "xen,domain-p2m-mem-mb": {
    treatment: "dropped",
    because: "the compiler reckons how much a domain's page tables need",
  },
  max_grant_version: { treatment: "dropped", because: "the launch plan sets it" },
  max_grant_frames: { treatment: "dropped", because: "the launch plan sets it" },
  max_maptrack_frames: { treatment: "dropped", because: "the launch plan sets it" },
  "xen,sci_type": { treatment: "dropped", because: "domains do not reach the board's firmware" },
  v8r_el1_msa: { treatment: "dropped", because: "Armv8-R is not supported" },
  phandle: { treatment: "dropped", because: "nothing of a launch refers to it" },
};

/** Properties of a node compatible with `multiboot,module` that is a domain's. */
export const moduleProperties: KeyTable = {
  compatible: { treatment: "kept", because: "says what the module is: kernel, ramdisk" },
  reg: {
    treatment: "changed",
    because: "the file of --material with this address, or one that is to be filled in",
  },
  bootargs: { treatment: "kept", because: "cmdline" },
  "xen,uefi-binary": { treatment: "changed", because: "the file, unless --material names another" },
  phandle: { treatment: "dropped", because: "nothing of a launch refers to it" },
};

/** Nodes below `/chosen`, by what they are compatible with. */
export const nodeKinds: KeyTable = {
  "xen,domain": { treatment: "kept", because: "a domain, in the order of the tree" },
  "multiboot,kernel": { treatment: "kept", because: "kernel, of a domain; dom0's is dropped" },
  "multiboot,ramdisk": { treatment: "kept", because: "ramdisk, of a domain; dom0's is dropped" },
  "multiboot,device-tree": { treatment: "dropped", because: noDevices },
  "xen,xsm-policy": { treatment: "changed", because: "policy.xsm, the file of --material" },
  "xen,vcpu": {
    treatment: "dropped",
    because: "not carried over: `cpus` and `pinned` of the description say it",
  },
  "xen,evtchn-v1": {
    treatment: "dropped",
    because:
      "its ports are numbers that drivers expect; `links` tells each domain its port by name",
  },
  "xen,domain-shared-memory-v1": {
    treatment: "dropped",
    because: "its addresses are fixed in each domain; `links` shares memory by grants",
  },
  "xen,cpupool": {
    treatment: "dropped",
    because: "not carried over: `pools` and `pool` of the description say it",
  },
};

/** Properties of any node of the hardware. All others stay in the board's tree as they are. */
export const hardwareProperties: KeyTable = {
  "xen,passthrough": { treatment: "dropped", because: noDevices },
};
