// SPDX-License-Identifier: Apache-2.0
// The ramdisk of the example domains: busybox and ramdisk-init.sh. The same busybox and script
// give the same bytes. x86-64's busybox is the machine's; arm64's is fetched, and stays until
// `busybox-static-arm64` is removed from the cache.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheName, openApt } from "./apt.js";
import { cached, contentKey, placeLink } from "./cache.js";
import { withLog } from "./child.js";
import { newcArchive } from "./newc.js";
import { EXIT, fail, succeed } from "./outcome.js";
import { findProgram } from "./packages.js";
import { paths } from "./paths.js";

const INIT = join(paths.checkout, "setup", "ramdisk-init.sh");
const ELF64_PROGRAM_HEADERS = 32;
const ELF64_PROGRAM_HEADER_BYTES = 54;
const PT_INTERP = 3;

/**
 * @param {Buffer} busybox
 * @param {Buffer} init
 * @returns {import("./newc.js").NewcEntry[]}
 */
export function ramdiskEntries(busybox, init) {
  return [
    { path: "bin", kind: "folder" },
    { path: "bin/busybox", kind: "file", mode: 0o755, content: busybox },
    { path: "bin/sh", kind: "link", target: "busybox" },
    { path: "dev", kind: "folder" },
    // Linux opens both before the init script can mount anything on /dev.
    { path: "dev/console", kind: "character-device", major: 5, minor: 1 },
    { path: "dev/null", kind: "character-device", major: 1, minor: 3 },
    { path: "init", kind: "file", mode: 0o755, content: init },
    { path: "proc", kind: "folder" },
    { path: "sys", kind: "folder" },
  ];
}

/**
 * Whether an ELF64 program needs no loader, which the ramdisk doesn't have.
 *
 * @param {Buffer} program
 */
export function isStatic(program) {
  const start = Number(program.readBigUInt64LE(ELF64_PROGRAM_HEADERS));
  const size = program.readUInt16LE(ELF64_PROGRAM_HEADER_BYTES);
  const count = program.readUInt16LE(ELF64_PROGRAM_HEADER_BYTES + 2);
  const types = Array.from({ length: count }, (_, i) => program.readUInt32LE(start + i * size));
  return !types.includes(PT_INTERP);
}

/**
 * The machine's busybox, which must be a static one.
 *
 * @param {import("./child.js").SetUp} setUp
 * @returns {Promise<import("./outcome.js").Outcome<Buffer>>}
 */
export async function readBusybox(setUp) {
  const program = findProgram("busybox", setUp.environment);
  const busybox = program ? await readFile(program) : undefined;
  if (busybox !== undefined && isStatic(busybox)) return succeed(busybox);
  const what = program ? `${program} is not a static program` : "there is no busybox";
  const fix = "apt-get install busybox-static";
  return fail({ exitCode: EXIT.environment, what, fix });
}

/**
 * Writes a ramdisk as Linux takes it.
 *
 * @param {readonly import("./newc.js").NewcEntry[]} entries
 * @param {string} file
 * @returns {Promise<import("./outcome.js").Outcome<undefined>>}
 */
export async function writeRamdisk(entries, file) {
  const input = newcArchive(entries);
  // Not zlib of Node: its output differs with the processor.
  const { status, stdout } = spawnSync("gzip", ["-9n"], { input, maxBuffer: 1 << 28 });
  if (status !== 0) return fail({ exitCode: EXIT.environment, what: "gzip failed" });
  await writeFile(file, stdout);
  return succeed(undefined);
}

/**
 * Debian's busybox for arm64, which this machine need not be able to run.
 *
 * @param {import("./child.js").SetUp} setUp
 * @returns {Promise<import("./outcome.js").Outcome<Buffer>>}
 */
export async function fetchArm64Busybox(setUp) {
  const name = cacheName("busybox-static", "arm64");
  const step = { title: "fetching Debian's busybox for arm64", log: name };
  const fetched = await cached(setUp, name, (folder) =>
    withLog(setUp, step, async (run) => {
      const apt = await openApt(setUp, run, "arm64");
      if (!apt.ok) return apt;
      const { configuration, attempt } = apt.value;
      const download = join(folder, "package");
      await mkdir(download);
      const words = ["-c", configuration, "download", "busybox-static"];
      const downloaded = await attempt("apt-get", words, { cwd: download });
      if (!downloaded.ok) return downloaded;
      const [archive = ""] = await readdir(download);
      const unpacked = await run("dpkg-deb", ["--extract", archive, "content"], { cwd: download });
      if (!unpacked.ok) return unpacked;
      await rename(join(download, "content", "bin", "busybox"), join(folder, "busybox"));
      await writeFile(join(folder, "package.txt"), `${archive}\n`);
      await rm(download, { recursive: true });
      return succeed(undefined);
    }),
  );
  return fetched.ok ? succeed(await readFile(join(fetched.value, "busybox"))) : fetched;
}

/**
 * @param {import("./child.js").SetUp} setUp
 * @param {import("./outcome.js").Outcome<Buffer>} busybox
 * @param {string} link
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
async function packGuestRamdisk(setUp, busybox, link) {
  if (!busybox.ok) return busybox;
  const entries = ramdiskEntries(busybox.value, await readFile(INIT));
  const name = join("guest-ramdisk", contentKey([newcArchive(entries)]));
  if (!existsSync(join(setUp.cache, name))) setUp.progress.line("packing the guests' ramdisk");
  const ramdisk = await cached(setUp, name, (folder) =>
    writeRamdisk(entries, join(folder, "busybox.cpio.gz")),
  );
  if (ramdisk.ok) await placeLink(join(ramdisk.value, "busybox.cpio.gz"), link);
  return ramdisk;
}

/** @param {import("./child.js").SetUp} setUp */
export async function prepareGuestRamdisk(setUp) {
  return packGuestRamdisk(setUp, await readBusybox(setUp), paths.guestRamdisk);
}

/** @param {import("./child.js").SetUp} setUp */
export async function prepareArm64GuestRamdisk(setUp) {
  return packGuestRamdisk(setUp, await fetchArm64Busybox(setUp), paths.arm64GuestRamdisk);
}
