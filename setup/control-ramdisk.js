// SPDX-License-Identifier: Apache-2.0
// The ramdisk of a control domain: busybox, Debian's Xen tools with their libraries, the kernel's
// modules for hypercalls and event channels, and what is in examples/control-domain.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cached, contentKey, placeLink } from "./cache.js";
import { outputOf, withLog } from "./child.js";
import { ramdiskEntries, readBusybox, writeRamdisk } from "./guest-ramdisk.js";
import { succeed } from "./outcome.js";
import { paths } from "./paths.js";
import { prepareXenTools, sharedLibraries } from "./xen-tools.js";

const EXAMPLE = join(paths.checkout, "examples", "control-domain");
const GUESTS = join(paths.checkout, "guests");

/** What the ramdisk is made from in this checkout. */
const SOURCES = {
  init: join(EXAMPLE, "init.sh"),
  xlCommands: join(EXAMPLE, "xl-commands"),
  newDomain: join(EXAMPLE, "new.cfg"),
  domains: join(EXAMPLE, "domains.c"),
  hello: join(GUESTS, "hello", "entry.x86_64.S"),
  helloLayout: join(GUESTS, "x86_64", "kernel.lds"),
};

/** Programs of Debian that the ramdisk holds, in their folder. */
const PROGRAMS = ["oxenstored", "xen-init-dom0", "xl"];
const PROGRAM_FOLDER = join("usr", "lib", "xen-4.17", "bin");
const MODULES = ["xen-evtchn.ko", "xen-privcmd.ko"];

/** Folders that the tools take for granted. */
const FOLDERS = [
  ...["etc", "etc/xen", "lib", "tmp", "var", "var/lib", "var/lib/xen", "var/lock"],
  ...["var/log", "var/log/xen", "var/run", "var/run/xen"],
];

/** Changes when the steps below do. */
const RECIPE = "1";

/** @typedef {import("./newc.js").NewcEntry} NewcEntry */

/**
 * The programs of our own, compiled into `folder`: one of Linux, and a kernel to create a domain of.
 *
 * @param {import("./child.js").Run} run
 * @param {string} tools
 * @param {string} folder
 */
async function compile(run, tools, folder) {
  const libraries = join(tools, "usr", "lib", "x86_64-linux-gnu");
  // The boot domain's header is in domb's Xen alone.
  const headers = ["-I", paths.xenInclude(), "-I", join(tools, "usr", "include")];
  const domains = await run("gcc", [
    ...["-std=gnu11", "-O2", "-Wall", "-Werror", "-s", "-Wl,--build-id=none", "-D__XEN_TOOLS__"],
    ...[...headers, SOURCES.domains, "-L", libraries, `-Wl,-rpath-link,${libraries}`],
    ...["-lxenctrl", "-lxencall", "-o", join(folder, "domains")],
  ]);
  if (!domains.ok) return domains;
  return run("gcc", [
    ...["-nostdlib", "-static", "-s", "-Wl,--build-id=none", `-Wl,-T,${SOURCES.helloLayout}`],
    ...[...headers, SOURCES.hello, "-o", join(folder, "hello.elf")],
  ]);
}

/**
 * @param {{ path: string, file: string, mode: number }} place
 * @returns {Promise<NewcEntry>}
 */
async function entryOf({ path, file, mode }) {
  return { path, kind: "file", mode, content: await readFile(file) };
}

/**
 * Everything in the ramdisk beside what every example's has.
 *
 * @param {string} tools
 * @param {string} compiled folder of the programs of our own
 * @returns {Promise<import("./outcome.js").Outcome<NewcEntry[]>>}
 */
async function entriesOf(tools, compiled) {
  const programs = [
    { path: "bin/domains", file: join(compiled, "domains") },
    ...PROGRAMS.map((name) => ({ path: `bin/${name}`, file: join(tools, PROGRAM_FOLDER, name) })),
  ];
  const libraries = sharedLibraries(
    tools,
    programs.map(({ file }) => file),
  );
  if (!libraries.ok) return libraries;
  const needed = [...libraries.value].map(([name, file]) => ({ path: `lib/${name}`, file }));
  const executable = [...programs, ...needed.sort((a, b) => (a.path < b.path ? -1 : 1))];
  const others = [
    { path: "etc/xl-commands", file: SOURCES.xlCommands },
    { path: "etc/xen/hello.elf", file: join(compiled, "hello.elf") },
    { path: "etc/xen/new.cfg", file: SOURCES.newDomain },
    ...MODULES.map((name) => ({
      path: `lib/${name}`,
      file: join(paths.kernelModules("x86_64"), name),
    })),
  ];
  return succeed([
    ...FOLDERS.map((path) => ({ path, kind: /** @type {const} */ ("folder") })),
    // Where programs name their loader.
    { path: "lib64", kind: "link", target: "lib" },
    { path: "etc/xen/xl.conf", kind: "file", mode: 0o644, content: new Uint8Array() },
    ...(await Promise.all(others.map((place) => entryOf({ ...place, mode: 0o644 })))),
    ...(await Promise.all(executable.map((place) => entryOf({ ...place, mode: 0o755 })))),
  ]);
}

/**
 * @param {import("./child.js").SetUp} setUp
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
export async function prepareControlRamdisk(setUp) {
  const busybox = await readBusybox(setUp);
  if (!busybox.ok) return busybox;
  const tools = await prepareXenTools(setUp);
  if (!tools.ok) return tools;
  const inputs = [
    ...Object.values(SOURCES),
    ...MODULES.map((name) => join(paths.kernelModules("x86_64"), name)),
    join(paths.xenInclude(), "public", "boot_domain.h"),
    join(tools.value, "packages.txt"),
  ];
  const key = contentKey([
    RECIPE,
    outputOf("gcc", ["--version"]) ?? "",
    outputOf("ld", ["--version"]) ?? "",
    busybox.value,
    ...(await Promise.all(inputs.map((file) => readFile(file)))),
  ]);
  const ramdisk = await cached(setUp, join("control-ramdisk", key), (folder) => {
    const step = { title: "packing the control domain's ramdisk", log: "control-ramdisk" };
    return withLog(setUp, step, async (run) => {
      const compiled = await compile(run, tools.value, folder);
      if (!compiled.ok) return compiled;
      const entries = await entriesOf(tools.value, folder);
      if (!entries.ok) return entries;
      const common = ramdiskEntries(busybox.value, await readFile(SOURCES.init));
      return writeRamdisk([...common, ...entries.value], join(folder, "control.cpio.gz"));
    });
  });
  if (ramdisk.ok) await placeLink(join(ramdisk.value, "control.cpio.gz"), paths.controlRamdisk);
  return ramdisk;
}
