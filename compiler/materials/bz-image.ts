// SPDX-License-Identifier: Apache-2.0
// Finds the compressed kernel in a bzImage by its setup header (Linux, Documentation/arch/x86/
// boot.rst). Only protocol 2.08 and later, which name the payload; real-mode code is ignored.

import type { Result } from "../diagnostics/diagnostic.js";
import { type MaterialFile, materialFault } from "./material-file.js";

const SETUP_SECTORS = 0x1f1;
const SETUP_MAGIC = 0x202;
const PROTOCOL_VERSION = 0x206;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_BYTES = 0x24c;
const HEADER_END = 0x250;
const SECTOR_BYTES = 512;
/** "HdrS" */
const MAGIC = 0x53726448;
const OLDEST_PROTOCOL = 0x208;

/** Whether the file starts as a bzImage does. */
export function isBzImage(bytes: Uint8Array): boolean {
  return bytes.length >= SETUP_MAGIC + 4 && view(bytes).getUint32(SETUP_MAGIC, true) === MAGIC;
}

/** The compressed kernel in a bzImage, with its trailing size. */
export function bzImagePayload(file: MaterialFile): Result<Uint8Array> {
  const { bytes } = file;
  const damaged = (message: string) =>
    materialFault(file, "DOMB3005", message, "Copy the kernel again from where it came.");
  if (bytes.length < HEADER_END) {
    return damaged(`the file ends in the setup header, at byte ${bytes.length} of ${HEADER_END}`);
  }
  const header = view(bytes);
  const version = header.getUint16(PROTOCOL_VERSION, true);
  if (version < OLDEST_PROTOCOL) {
    return materialFault(
      file,
      "DOMB3004",
      `boot protocol ${hexadecimal(version)} does not say where the kernel lies, wanted ` +
        `${hexadecimal(OLDEST_PROTOCOL)} or later`,
      "Use a kernel of Linux 2.6.26 or later.",
    );
  }
  // Zero stands for four, by the boot protocol.
  const sectors = header.getUint8(SETUP_SECTORS) || 4;
  const start = (sectors + 1) * SECTOR_BYTES + header.getUint32(PAYLOAD_OFFSET, true);
  const end = start + header.getUint32(PAYLOAD_BYTES, true);
  if (end > bytes.length) {
    return damaged(
      `payload_offset and payload_length reach to byte ${end}, but the file has ${bytes.length}`,
    );
  }
  return { ok: true, value: bytes.subarray(start, end), diagnostics: [] };
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16)}`;
}
