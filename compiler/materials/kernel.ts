// SPDX-License-Identifier: Apache-2.0
// From a kernel's file to what the guest stage wants of it, whatever the format.

import type { Result } from "../diagnostics/diagnostic.js";
import { bzImagePayload, isBzImage } from "./bz-image.js";
import { isElf, type Kernel, readElfKernel } from "./elf.js";
import { type MaterialFile, materialFault } from "./material-file.js";
import { unpackKernel } from "./unpack.js";

/** Reads a bzImage or an ELF kernel. */
export async function readKernel(file: MaterialFile): Promise<Result<Kernel>> {
  if (isElf(file.bytes)) return readElfKernel(file.bytes, file);
  if (!isBzImage(file.bytes)) {
    return materialFault(
      file,
      "DOMB3004",
      "the file is neither a bzImage nor an ELF file",
      "Give the kernel's vmlinuz (bzImage) or its vmlinux.",
    );
  }
  const payload = bzImagePayload(file);
  if (!payload.ok) return payload;
  const vmlinux = await unpackKernel(payload.value, file);
  return vmlinux.ok ? readElfKernel(vmlinux.value, file) : vmlinux;
}
