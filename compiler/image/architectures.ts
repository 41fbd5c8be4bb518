// SPDX-License-Identifier: Apache-2.0
// The architectures of hosts and Initial Domains that launches are compiled for.

import { MACHINE_ARM64, MACHINE_X86_64 } from "../../contract/image.js";

/** ImageHeader.machine of each. */
export const machines = { x86_64: MACHINE_X86_64, arm64: MACHINE_ARM64 } as const;

export type Architecture = keyof typeof machines;

/** What people call them. */
export const architectureNames: Readonly<Record<Architecture, string>> = {
  x86_64: "x86-64",
  arm64: "arm64",
};

/** All of them, as a user writes them. */
export const architectures = Object.keys(machines) as readonly Architecture[];

/** The architecture of an image with this number in its header. */
export function architectureOf(machine: number): Architecture | undefined {
  return architectures.find((architecture) => machines[architecture] === machine);
}
