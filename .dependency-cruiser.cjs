// SPDX-License-Identifier: Apache-2.0
// Data goes one way: which room may import which. Rooms that are not named may not be imported.

/** For each room, the rooms that it may import beside itself. */
const mayImport = {
  contract: [],
  bootdomain: ["contract", "setup"],
  hypervisor: ["setup"],
  "xen-model": ["contract"],
  compiler: ["contract", "xen-model"],
  simulator: ["contract", "xen-model", "setup", "compiler", "lab", "bootdomain"],
  media: ["xen-model", "compiler"],
  lab: ["contract", "xen-model", "compiler", "setup", "bootdomain", "simulator", "media", "guests"],
  report: ["contract", "xen-model", "compiler", "setup"],
  setup: [],
  guests: ["contract", "setup"],
  cli: ["contract", "xen-model", "compiler", "simulator", "media", "lab", "report", "setup"],
  benchmarks: [
    "contract",
    "xen-model",
    "compiler",
    "lab",
    "setup",
    "bootdomain",
    "guests",
    "simulator",
    "report",
  ],
  docs: ["cli", "compiler", "contract", "setup"],
};

const rooms = Object.keys(mayImport);

const rules = Object.entries(mayImport).map(([room, others]) => ({
  name: `${room}-imports`,
  severity: "error",
  // Tests and generators look at more: they hold rooms together.
  from: { path: `^${room}/`, pathNot: "(\\.test|/generate-[a-z-]+)\\.ts$" },
  to: { path: `^(${rooms.join("|")})/`, pathNot: `^(${[room, ...others].join("|")})/` },
}));

module.exports = {
  forbidden: [...rules, { name: "no-cycles", severity: "error", from: {}, to: { circular: true } }],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|build)/|bootdomain/assembly" },
    tsPreCompilationDeps: true,
  },
};
