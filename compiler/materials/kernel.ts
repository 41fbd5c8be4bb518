// SPDX-License-Identifier: Apache-2.0
// From a kernel's file to what the guest stage wants of it, whatever the format.

import type { Result } from "../diagnostics/diagnostic.js";
import { isArm64Image, readArm64Image } from "./arm64-image.js";
import { bzImagePayload, isBzImage } from "./bz-image.js";
import { isElf, type Kernel, readElfKernel } from "./elf.js";
import { type MaterialFile, materialFault } from "./material-file.js";
import { isGzip, unpackKernel } from "./unpack.js";

/** Reads a bzImage, an arm64 Image, plain or packed with gzip, or an ELF kernel. */
export async function readKernel(file: MaterialFile): Promise<Result<Kernel>> {
  const { bytes } = file;
  if (isElf(bytes)) return readElfKernel(bytes, file);
  if (isArm64Image(bytes)) return readArm64Image(bytes, file);
  if (isGzip(bytes)) {
    const image = await unpackKernel(bytes, file);
    if (!image.ok) return image;
    return isArm64Image(image.value) ? readArm64Image(image.value, file) : unknownFormat(file);
  }
  if (!isBzImage(bytes)) return unknownFormat(file);
  const payload = bzImagePayload(file);
  if (!payload.ok) return payload;
  const vmlinux = await unpackKernel(payload.value, file);
  return vmlinux.ok ? readElfKernel(vmlinux.value, file) : vmlinux;
}

function unknownFormat(file: MaterialFile): Result<Kernel> {
  return materialFault(
    file,
    "DOMB3004",
    "the file is neither a bzImage, nor an arm64 Image, nor an ELF file",
    "Give the kernel's vmlinuz (bzImage, Image or Image.gz) or its vmlinux.",
  );
}
