// SPDX-License-Identifier: Apache-2.0
// Prepares this machine for a task and runs it: `node setup/run.js TASK [--yes] [ARGUMENT…]`. Needs
// Node alone. This file only makes sure that Node is new enough to read the others.

const WANTED_MAJOR = 20;
const WANTED_MINOR = 19;
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < WANTED_MAJOR || (major === WANTED_MAJOR && minor < WANTED_MINOR)) {
  const wanted = `${WANTED_MAJOR}.${WANTED_MINOR}`;
  console.error(`Node ${process.versions.node} is too old: wanted ${wanted} or later`);
  console.error("fix: install a newer Node");
  process.exitCode = 3;
} else {
  const { main } = await import("./main.js");
  process.exitCode = await main(process.argv.slice(2), process.env);
}
