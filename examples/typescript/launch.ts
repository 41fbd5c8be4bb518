// SPDX-License-Identifier: Apache-2.0
// A launch description in TypeScript: the same schema, and a program's means to write it.

import { defineLaunch } from "domb";

const greeting = (name: string) => ({
  kernel: "../../build/guests/hello.elf",
  cmdline: `from ${name}`,
  memory: "64 MiB",
  output: "xen-log" as const,
});

export default defineLaunch({
  domb: 1,
  domains: Object.fromEntries(["first", "second", "third"].map((name) => [name, greeting(name)])),
});
