// SPDX-License-Identifier: Apache-2.0
// Writes fields of Xen's structures into bytes, at the offsets that contract/xen-abi.ts has.

export interface StructureWriter {
  set32(offset: number, value: number): void;
  set64(offset: number, value: number | bigint): void;
}

/** Writes little-endian into `bytes`, offsets counted from `start`. */
export function writeStructure(bytes: Uint8Array, start: number): StructureWriter {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    set32: (offset, value) => view.setUint32(start + offset, value, true),
    set64: (offset, value) => view.setBigUint64(start + offset, BigInt(value), true),
  };
}
