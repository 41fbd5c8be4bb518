// SPDX-License-Identifier: Apache-2.0
// The ramdisks of examples whose Linux domains use domb's own programs: busybox, the kernel's
// modules that the example needs, its program, static, and its init.sh; for each architecture.

import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { cached, contentKey, placeLink } from "./cache.js";
import { outputOf, withLog } from "./child.js";
import { contractHeader } from "./contract-header.js";
import { fetchArm64Busybox, ramdiskEntries, readBusybox, writeRamdisk } from "./guest-ramdisk.js";
import { succeed } from "./outcome.js";
import { paths } from "./paths.js";

/** @typedef {import("./paths.js").Architecture} Architecture */
/** @typedef {"links" | "ordered" | "recovery"} Example */

/**
 * What is in an example's ramdisk: its program's C file, and modules.
 *
 * @type {Readonly<Record<Example, { program: string, modules: readonly string[] }>>}
 */
const examples = {
  links: {
    program: "domb-link.c",
    modules: ["xen-evtchn.ko", "xen-gntdev.ko", "xen-privcmd.ko"],
  },
  ordered: { program: "domb-ready.c", modules: ["xen-evtchn.ko"] },
  recovery: { program: "domb-receipt.c", modules: ["xen-privcmd.ko"] },
};

/** @type {Readonly<Record<Architecture, string>>} */
const prefixes = { x86_64: "", arm64: "aarch64-linux-gnu-" };

/** Changes when the steps below do. */
const RECIPE = "1";

/** What programs take from contract/, under the name by which they include it. */
async function receiptHeader() {
  const files = ["receipt.ts", "limits.ts"].map((file) => join(paths.checkout, "contract", file));
  const sources = await Promise.all(files.map((file) => readFile(file, "utf8")));
  return contractHeader(sources, ["DomainState", "LaunchStatus"]);
}

/**
 * @param {import("./child.js").SetUp} setUp
 * @param {Example} example
 * @param {Architecture} architecture
 * @param {Buffer} busybox
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
async function packRamdisk(setUp, example, architecture, busybox) {
  const { program, modules } = examples[example];
  const folder = join(paths.checkout, "examples", example);
  const source = join(folder, program);
  const compiler = `${prefixes[architecture]}gcc`;
  const moduleFiles = modules.map((name) => join(paths.kernelModules(architecture), name));
  const header = await receiptHeader();
  const interfaces = ["boot_domain.h", "event_channel.h", "grant_table.h", "xen.h"].map((name) =>
    join(paths.xenInclude(), "public", name),
  );
  const inputs = [source, join(folder, "init.sh"), ...interfaces, ...moduleFiles];
  const key = contentKey([
    ...[RECIPE, outputOf(compiler, ["--version"]) ?? "", header, busybox],
    ...(await Promise.all(inputs.map((file) => readFile(file)))),
  ]);
  const link = paths.exampleRamdisk(example, architecture);
  const ramdisk = await cached(setUp, join("example-ramdisk", key), (made) => {
    const step = { title: `packing ${basename(link)} for ${architecture}`, log: "example-ramdisk" };
    return withLog(setUp, step, async (run) => {
      const name = basename(program, ".c");
      await writeFile(join(made, "receipt.h"), header);
      const compiled = await run(compiler, [
        ...["-std=gnu11", "-O2", "-Wall", "-Werror", "-static", "-s", "-Wl,--build-id=none"],
        ...["-D__XEN_TOOLS__", "-I", made, "-idirafter", paths.xenInclude(), source],
        ...["-o", join(made, name)],
      ]);
      if (!compiled.ok) return compiled;
      const files = [
        { path: `bin/${name}`, file: join(made, name), mode: 0o755 },
        ...moduleFiles.map((file) => ({ path: `lib/${basename(file)}`, file, mode: 0o644 })),
      ];
      const own = files.map(async ({ path, file, mode }) => {
        return { path, kind: /** @type {const} */ ("file"), mode, content: await readFile(file) };
      });
      const common = ramdiskEntries(busybox, await readFile(join(folder, "init.sh")));
      const entries = [
        ...common,
        { path: "lib", kind: /** @type {const} */ ("folder") },
        ...(await Promise.all(own)),
      ];
      return writeRamdisk(entries, join(made, basename(link)));
    });
  });
  if (ramdisk.ok) await placeLink(join(ramdisk.value, basename(link)), link);
  return ramdisk;
}

/**
 * @param {import("./child.js").SetUp} setUp
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
export async function prepareExampleRamdisks(setUp) {
  const busyboxes = /** @type {const} */ ([
    ["x86_64", await readBusybox(setUp)],
    ["arm64", await fetchArm64Busybox(setUp)],
  ]);
  for (const [architecture, busybox] of busyboxes) {
    if (!busybox.ok) return busybox;
    for (const example of /** @type {readonly Example[]} */ (Object.keys(examples))) {
      const packed = await packRamdisk(setUp, example, architecture, busybox.value);
      if (!packed.ok) return packed;
    }
  }
  return succeed(undefined);
}
