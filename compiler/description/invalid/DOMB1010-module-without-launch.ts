// SPDX-License-Identifier: Apache-2.0
// A description that has a name, where the default export is looked for.

import { defineLaunch } from "domb";

export const launch = defineLaunch({
  domb: 1,
  domains: { web: { kernel: "./vmlinuz", memory: "64 MiB" } },
});
