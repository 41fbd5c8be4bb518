// SPDX-License-Identifier: Apache-2.0
// A description that has a name, where the default export is looked for.

export const launch = { domb: 1, domains: { web: { kernel: "./vmlinuz", memory: "64 MiB" } } };
