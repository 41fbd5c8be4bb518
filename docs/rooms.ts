// SPDX-License-Identifier: Apache-2.0
// The folders that hold TypeScript of the project, each one part of the system.

export const rooms = [
  "contract",
  "bootdomain",
  "hypervisor",
  "xen-model",
  "compiler",
  "simulator",
  "media",
  "lab",
  "report",
  "cli",
  "setup",
  "guests",
  "benchmarks",
  "docs",
] as const;
