// SPDX-License-Identifier: Apache-2.0
// The header of an arm64 Image, the form of Xen and of the boot domain there, as far as boot media
// need it (Linux, Documentation/arm64/booting.rst).

const HEADER_BYTES = 64;
const IMAGE_SIZE_OFFSET = 16;
const MAGIC_OFFSET = 56;
const MAGIC = 0x644d5241;

/** Whether it begins as an Image does. */
export function isArm64Image(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.length >= HEADER_BYTES && view.getUint32(MAGIC_OFFSET, true) === MAGIC;
}

/** Bytes of memory that an Image takes from its start: more than the file has, if it has a bss. */
export function imageMemoryBytes(image: Uint8Array): number {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  return Math.max(image.length, Number(view.getBigUint64(IMAGE_SIZE_OFFSET, true)));
}
