// SPDX-License-Identifier: Apache-2.0
// What the boot domain can do to its own machine: the imports of the wasm module `machine`. With
// xen.ts it is the whole audited interface. Addresses are in linear memory.

/** Copies `bytes` bytes of the image, from `offset`, to linear memory. The caller checks bounds. */
export declare function imageRead(offset: u32, destination: u32, bytes: u32): void;

/** Copies the TrustRecord of the boot domain's kernel file to linear memory. */
export declare function trustRead(destination: u32): void;

/** Ticks of a clock that only goes forward. */
export declare function clock(): u64;
