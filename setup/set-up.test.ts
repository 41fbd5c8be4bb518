// SPDX-License-Identifier: Apache-2.0
// The smaller decisions of a set-up, and the program as a whole up to its first preparation.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { versionedKernel } from "./guest-kernel.js";
import { isStatic } from "./guest-ramdisk.js";
import { parseArguments } from "./main.js";
import { isInstalled } from "./npm-packages.js";
import { findProgram } from "./packages.js";
import { cacheFolder, paths } from "./paths.js";
import { createProgress, formatElapsed, lastLines } from "./progress.js";
import { tasks } from "./tasks.js";
import { arm64, parseSeries, readInputs, usual } from "./xen-build.js";
import { findWrongFile, XEN_DIGESTS } from "./xen-source.js";
import { sharedLibraries } from "./xen-tools.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-set-up-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("each script of package.json that names a task names one that exists", async () => {
  const { scripts } = JSON.parse(await readFile(join(paths.checkout, "package.json"), "utf8"));
  const named = Object.values<string>(scripts)
    .map((script) => /^node setup\/run\.js (\S+)$/.exec(script)?.[1])
    .filter((name) => name !== undefined);
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => !(name in tasks))).toEqual([]);
});

test("files of the set-up import nothing but Node's own modules and each other", async () => {
  for (const file of await readdir(join(paths.checkout, "setup"))) {
    if (!file.endsWith(".js")) continue;
    const text = await readFile(join(paths.checkout, "setup", file), "utf8");
    const imported = [...text.matchAll(/(?:^|\b)import\b[^;"]*"([^"]+)"/gm)].map(
      ([, name]) => name,
    );
    expect(imported.filter((name) => !/^(node:|\.\/[^/]+\.js$)/.test(name ?? ""))).toEqual([]);
  }
});

test("--yes is the set-up's wherever it stands; all else is the task's", () => {
  expect(parseArguments(["test", "a", "--yes", "--b"])).toEqual({
    name: "test",
    assumeYes: true,
    rest: ["a", "--b"],
  });
  expect(parseArguments(["build"])).toEqual({ name: "build", assumeYes: false, rest: [] });
});

test("a word that is no task is not one, whatever it is", () => {
  fc.assert(
    fc.property(fc.string(), (word) => {
      fc.pre(!Object.keys(tasks).includes(word));
      expect(parseArguments([word])).toBeUndefined();
    }),
  );
  expect(parseArguments(["constructor"])).toBeUndefined();
});

/** Runs the set-up as a person would. */
function runSetUp(parameters: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const program = join(paths.checkout, "setup", "run.js");
  const env = { ...process.env, ...environment };
  return spawnSync(process.execPath, [program, ...parameters], { encoding: "utf8", env });
}

test("bad usage ends with 2 and shows the tasks; --help with 0", () => {
  for (const parameters of [[], ["no-such-task"]]) {
    const { status, stdout, stderr } = runSetUp(parameters);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("usage: node setup/run.js TASK [--yes] [ARGUMENT…]");
  }
  const { status, stdout } = runSetUp(["--help"]);
  expect(status).toBe(0);
  for (const name of Object.keys(tasks)) expect(stdout).toContain(name);
});

test("a cache that can't be made ends with 3, the place and the fix", () => {
  const { status, stderr } = runSetUp(["build"], { DOMB_CACHE: "/proc/no/place" });
  expect(status).toBe(3);
  expect(stderr).toContain("'/proc/no'");
  expect(stderr).toContain("name another folder for the cache by DOMB_CACHE");
});

test("the cache is where the environment says, by DOMB_CACHE first", () => {
  expect(cacheFolder({ DOMB_CACHE: "/a", XDG_CACHE_HOME: "/b" })).toBe("/a");
  expect(cacheFolder({ XDG_CACHE_HOME: "/b" })).toBe("/b/domb");
  expect(cacheFolder({})).toMatch(/\/\.cache\/domb$/);
});

test("npm packages count as installed when all but optional ones are there, and no others", () => {
  const one = { version: "1.0.0", integrity: "sha512-a" };
  const wanted = { packages: { "": { version: "9" }, "node_modules/one": one } };
  const elsewhere = { version: "2.0.0", optional: true };
  expect(isInstalled(wanted, { packages: { "node_modules/one": one } })).toBe(true);
  expect(isInstalled(wanted, {})).toBe(false);
  expect(
    isInstalled(wanted, { packages: { "node_modules/one": { ...one, integrity: "sha512-b" } } }),
  ).toBe(false);
  expect(
    isInstalled(wanted, { packages: { "node_modules/one": one, "node_modules/two": one } }),
  ).toBe(false);
  expect(
    isInstalled(
      { packages: { ...wanted.packages, "node_modules/elsewhere": elsewhere } },
      { packages: { "node_modules/one": one } },
    ),
  ).toBe(true);
});

test("the series file names patches in order, and may hold comments", () => {
  expect(parseSeries("# first\n0001-a.patch\n\n0002-b.patch # why\n")).toEqual([
    "0001-a.patch",
    "0002-b.patch",
  ]);
});

test("Xen for arm64 is made of the same patches, but of a configuration of its own", async () => {
  const [ours, theirs] = [await readInputs(usual), await readInputs(arm64)];
  if (!ours.ok || !theirs.ok) throw new Error("hypervisor/ lacks a file");
  expect(theirs.value.patches).toEqual(ours.value.patches);
  const text = await readFile(paths.xenConfiguration("arm64"), "utf8");
  expect(theirs.value.configuration).toBe(text);
  expect(ours.value.configuration).not.toBe(text);
  expect(theirs.value.key).not.toBe(ours.value.key);
});

test("a source file that is missing or differs is named, with both digests", async () => {
  const digests = { a: "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" };
  expect(await findWrongFile(folder, digests)).toBe("a is missing");
  await writeFile(join(folder, "a"), "foo");
  expect(await findWrongFile(folder, digests)).toBeUndefined();
  await writeFile(join(folder, "a"), "fop");
  expect(await findWrongFile(folder, digests)).toMatch(
    /^a has the SHA-256 digest [0-9a-f]{64}, wanted 2c26b46b/,
  );
});

test("three files of Xen's source are pinned", () => {
  expect(Object.keys(XEN_DIGESTS)).toHaveLength(3);
});

test("the cloud kernel's versioned package is read from its meta package", () => {
  const description = `Package: linux-image-cloud-amd64
Version: 6.1.192-2
Depends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)
`;
  expect(versionedKernel(description)).toBe("linux-image-6.1.0-56-cloud-amd64=6.1.192-2");
  expect(versionedKernel(description.replaceAll("amd64", "arm64"))).toBe(
    "linux-image-6.1.0-56-cloud-arm64=6.1.192-2",
  );
  expect(versionedKernel("Depends: other\n")).toBeUndefined();
});

test("a program with a loader is told from a static one", async () => {
  const busybox = await readFile(findProgram("busybox") ?? "");
  expect(isStatic(busybox)).toBe(true);
  expect(isStatic(await readFile("/bin/ls"))).toBe(false);
});

test("the example domains' init scripts are ones that a shell can read", () => {
  for (const script of [
    "setup/ramdisk-init.sh",
    ...["control-domain", "links", "ordered", "recovery"].map((name) => `examples/${name}/init.sh`),
  ]) {
    execFileSync("busybox", ["sh", "-n", join(paths.checkout, script)]);
  }
});

test("a program's libraries come with those that they need themselves", () => {
  const found = sharedLibraries("/", ["/bin/bash"]);
  const names = found.ok ? [...found.value.keys()] : [];
  expect(names).toContain("libc.so.6");
  expect(names).toContain("ld-linux-x86-64.so.2");
});

test("a library that no package has is named, with the program that needs it", () => {
  const found = sharedLibraries(folder, ["/bin/bash"]);
  expect(found.ok ? "" : found.failure.what).toMatch(/^\/bin\/bash needs lib\S+, which is in none/);
});

test("the last lines of a log come without empty ones and control sequences", async () => {
  const log = join(folder, "log");
  await writeFile(log, "one\n\n\x1b[31mtwo\x1b[0m\nprogress 1%\rprogress 2%\r\n");
  expect(lastLines(log, 2)).toEqual(["progress 1%", "progress 2%"]);
  expect(lastLines(log, 9)).toEqual(["one", "two", "progress 1%", "progress 2%"]);
});

test("off a terminal a step is one line that names its log", () => {
  const written: string[] = [];
  const stream = { write: (text: string) => written.push(text) };
  const progress = createProgress(stream as unknown as NodeJS.WritableStream);
  progress.begin("building", "/the/log").end("done");
  expect(written).toEqual(["set-up: building (log: /the/log)\n"]);
});

test("on a terminal a step's line is in the end replaced by its result", async () => {
  const log = join(folder, "log");
  await writeFile(log, "a long line of the log");
  const written: string[] = [];
  const stream = { isTTY: true, columns: 40, write: (text: string) => written.push(text) };
  const step = createProgress(stream as unknown as NodeJS.WritableStream).begin("building", log);
  expect(written).toEqual(["\r\x1b[Kset-up: building (0:00) a long line of "]);
  step.end("done");
  expect(written.at(-1)).toBe(`set-up: building: done (0:00; log: ${log})\n`);
});

test("times are minutes and seconds", () => {
  expect([999, 61_000, 600_000].map(formatElapsed)).toEqual(["0:00", "1:01", "10:00"]);
});
