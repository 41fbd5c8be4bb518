// SPDX-License-Identifier: Apache-2.0
// Compiles what is in this checkout: TypeScript, the boot domain and the guests. Skipped while the
// digest of the sources and of Xen's build is the one of the last whole build.

import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { contentKey } from "./cache.js";
import { outputOf, withLog } from "./child.js";
import { EXIT, fail, succeed } from "./outcome.js";
import { paths } from "./paths.js";

/** One in each folder that the build writes to: if one is removed, so is its stamp. */
const STAMPS = [join(paths.dist, ".whole-build"), join(paths.build, ".whole-build")];
const NOT_SOURCES = new Set([".git", "node_modules", "dist", "build"]);
const SOURCE = /\.([cm]?[jt]s|json|c|h|S|lds)$/;

const BUILDERS = [
  join("bootdomain", "build.js"),
  join("guests", "build.js"),
  join("hypervisor", "flask", "policy.js"),
  join("lab", "board.js"),
];

/**
 * @param {string} folder
 * @returns {Promise<string[]>}
 */
async function sourcesBelow(folder) {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !NOT_SOURCES.has(name))
      .map((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return sourcesBelow(path);
        return entry.isFile() && SOURCE.test(entry.name) ? [path] : [];
      }),
  );
  return found.flat().sort();
}

async function digestOfSources() {
  const files = await sourcesBelow(paths.checkout);
  const links = [paths.xenFolder, paths.upstreamXenFolder];
  const xens = await Promise.all(links.map((link) => readlink(link).catch(() => "")));
  const contents = await Promise.all(files.map((file) => readFile(file)));
  // The board of arm64 is QEMU's.
  const qemu = outputOf("qemu-system-aarch64", ["--version"]) ?? "";
  return contentKey([process.version, paths.checkout, qemu, ...xens, ...files, ...contents]);
}

/** @param {string} digest */
async function isBuilt(digest) {
  const stamps = await Promise.all(STAMPS.map((path) => readFile(path, "utf8").catch(() => "")));
  return stamps.every((stamp) => stamp === digest);
}

/** Whether the last whole build was made from the present sources. */
export async function projectIsBuilt() {
  return isBuilt(await digestOfSources());
}

/**
 * @param {import("./child.js").SetUp} setUp
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
export async function prepareProject(setUp) {
  const digest = await digestOfSources();
  if (await isBuilt(digest)) return succeed(undefined);
  const step = { title: "building domb", log: "build" };
  return withLog(setUp, step, async (run) => {
    // The compiler's record of what it wrote is worth nothing if that was removed.
    const whole = existsSync(STAMPS[0] ?? "");
    if (!whole) await rm(join(paths.build, "tsconfig.tsbuildinfo"), { force: true });
    await Promise.all(STAMPS.map((path) => rm(path, { force: true })));
    const compiler = join(paths.nodeModules, "typescript", "bin", "tsc");
    const programs = [[compiler, "-b"], ...BUILDERS.map((path) => [join(paths.dist, path)])];
    for (const parameters of programs) {
      const outcome = await run(process.execPath, parameters, { cwd: paths.checkout });
      if (!outcome.ok) {
        const { exitCode } = outcome.failure;
        return fail({
          ...outcome.failure,
          exitCode: exitCode === EXIT.interrupted ? exitCode : EXIT.task,
        });
      }
    }
    for (const path of STAMPS) {
      await mkdir(join(path, ".."), { recursive: true });
      await writeFile(path, digest);
    }
    return succeed(undefined);
  });
}
