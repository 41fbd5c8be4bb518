// SPDX-License-Identifier: Apache-2.0
// The architectures of hosts by name, and by the number that an image's header has.

import { MACHINE_ARM64, MACHINE_X86_64 } from "../contract/image.js";

/** Values of ImageHeader.machine. */
export const machines = { x86_64: MACHINE_X86_64, arm64: MACHINE_ARM64 } as const;

export type Architecture = keyof typeof machines;

/** What people call them. */
export const architectureNames: Readonly<Record<Architecture, string>> = {
  x86_64: "x86-64",
  arm64: "arm64",
};

/** Each of them. */
export const architectures = Object.keys(machines) as readonly Architecture[];

/** The architecture whose number it is. */
export function architectureOf(machine: number): Architecture | undefined {
  return architectures.find((architecture) => machines[architecture] === machine);
}
