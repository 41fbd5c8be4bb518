// SPDX-License-Identifier: Apache-2.0
// What the boot domain can ask of Xen: the imports of the wasm module `xen`. Addresses are in
// linear memory; what Xen returns is negative when it is an errno.

/** `__HYPERVISOR_domctl` with the address of a `struct xen_domctl`. */
export declare function domctl(argument: u32): i32;

/** `__HYPERVISOR_memory_op` with the address of the command's structure. */
export declare function memoryOp(command: u32, argument: u32): i32;

/** `__HYPERVISOR_sysctl` with the address of a `struct xen_sysctl`. */
export declare function sysctl(argument: u32): i32;

/** `__HYPERVISOR_console_io`, write. */
export declare function consoleWrite(text: u32, bytes: u32): i32;

/** `__HYPERVISOR_xsm_op` with the address of a `struct xen_flask_op`. */
export declare function xsmOp(argument: u32): i32;

/** `__HYPERVISOR_boot_domain_op`; exit does not return. */
export declare function bootDomainOp(command: u32, argument: u32): i32;
