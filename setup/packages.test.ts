// SPDX-License-Identifier: Apache-2.0
// The list of Debian packages, and what is done without leave to install.

import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SetUp } from "./child.js";
import { missingPackages, packages, preparePackages } from "./packages.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-packages-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A set-up that may not install, with programs from one folder alone. */
function setUp(): SetUp {
  return {
    cache: folder,
    environment: { PATH: folder },
    assumeYes: false,
    progress: { line: () => {}, begin: () => ({ end: () => {} }) },
    signal: new AbortController().signal,
    lockFile: 0,
  };
}

async function addProgram(name: string): Promise<void> {
  await writeFile(join(folder, name), "#!/bin/sh\n");
  await chmod(join(folder, name), 0o755);
}

const wanted = [
  { name: "one", reason: "a test", needs: ["domb-one", "domb-one-more"] },
  { name: "two", reason: "a test", needs: ["domb-two"] },
];

test("each package is listed once, with a reason and a sign that it is there", () => {
  expect(new Set(packages.map(({ name }) => name)).size).toBe(packages.length);
  for (const { reason, needs } of packages) {
    expect(reason).not.toBe("");
    expect(needs.length).toBeGreaterThan(0);
  }
});

test("a package is missing while any of its programs is", async () => {
  await addProgram("domb-one");
  expect(missingPackages({ PATH: folder }, wanted)).toEqual(wanted);
  await addProgram("domb-one-more");
  expect(missingPackages({ PATH: folder }, wanted).map(({ name }) => name)).toEqual(["two"]);
});

test("without a terminal and without leave, the exact command is told with exit code 3", async () => {
  for (const name of ["apt-get", "apt-cache", "dpkg-deb"]) await addProgram(name);
  const outcome = await preparePackages(setUp(), wanted);
  if (outcome.ok) throw new Error("installed");
  expect(outcome.failure.exitCode).toBe(3);
  expect(outcome.failure.what).toBe("missing packages: one two; there is no terminal to ask on");
  expect(outcome.failure.fix).toContain(
    "apt-get install -y --no-install-recommends one two`, or again with --yes",
  );
});

test("what is no Debian gets exit code 3 and the names of all that is missing", async () => {
  const outcome = await preparePackages(setUp(), wanted);
  if (outcome.ok) throw new Error("installed");
  expect(outcome.failure).toMatchObject({
    exitCode: 3,
    what: "missing packages: one two; this is no Debian: no apt-get, apt-cache, dpkg-deb",
  });
});

test("with all packages there, nothing is asked, run or told", async () => {
  for (const name of ["domb-one", "domb-one-more", "domb-two"]) await addProgram(name);
  expect((await preparePackages(setUp(), wanted)).ok).toBe(true);
});
