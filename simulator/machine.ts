// SPDX-License-Identifier: Apache-2.0
// Which machine an image is for: the one that it is simulated or booted on, if nothing else is said.

import { ImageHeader } from "../contract/image.js";
import { type Architecture, architectureOf, machines } from "../xen-model/machines.js";

/** ImageHeader.machine, MACHINE_X86_64 for bytes that name no machine. */
export function machineOf(image: Uint8Array): number {
  return machines[hostArchitectureOf(image)];
}

/** The same by name; x86-64's boot domain tells what is wrong with a damaged image. */
export function hostArchitectureOf(image: Uint8Array): Architecture {
  if (image.length < ImageHeader.size) return "x86_64";
  const header = new DataView(image.buffer, image.byteOffset, ImageHeader.size);
  return architectureOf(header.getUint32(ImageHeader.machine, true)) ?? "x86_64";
}
