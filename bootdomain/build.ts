// SPDX-License-Identifier: Apache-2.0
// Builds the boot domain: AssemblyScript → wasm → wasm2c's C → a freestanding PVH kernel. Each
// stage's output stays in build/bootdomain/: domb.wasm, domb.c, domb.elf. Nothing is rebuilt while
// the sources, tools and Xen's headers are the same. Each Xen has a boot domain of its own, of the
// same sources with that Xen's constants.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { MAX_IMAGE_BYTES, PAGE_SIZE } from "../contract/limits.js";
import { TRUST_NOTE, TrustRecord } from "../contract/trust.js";
import { buildEnvironment } from "../setup/build-environment.js";
import { paths, type XenVersion } from "../setup/paths.js";

/** Pages of 64 KiB of the wasm's linear memory: END in assembly/memory.ts. */
const LINEAR_MEMORY_PAGES = 10;
const WASM_PAGE_BYTES = 0x10000;
/** Stack of the boot domain in bytes; sizes.ts reports how much of it a launch can use. */
export const STACK_BYTES = 0x4000;

const source = join(paths.checkout, "bootdomain");
const output = paths.bootDomainFolder("4.17");

/** Where the built files lie. */
export const built = {
  wasm: join(output, "domb.wasm"),
  c: join(output, "domb.c"),
  elf: join(output, "domb.elf"),
} as const;

/** Options of the AssemblyScript compiler: no runtime, no collector, memory of one fixed size. */
export const ascOptions = [
  "--runtime",
  "stub",
  "--use",
  "abort=",
  "--noAssert",
  "--pedantic",
  "--optimizeLevel",
  "3",
  "--shrinkLevel",
  "2",
  "--converge",
  "--initialMemory",
  String(LINEAR_MEMORY_PAGES),
  "--maximumMemory",
  String(LINEAR_MEMORY_PAGES),
];

/** Options of the C compiler. Without SSE the boot domain needs no FPU state. */
export const gccOptions = [
  "-std=gnu11",
  "-Os",
  "-ffreestanding",
  "-fno-pic",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-ident",
  "-fno-strict-aliasing",
  "-fcf-protection=none",
  "-ffunction-sections",
  "-mno-red-zone",
  "-mgeneral-regs-only",
  "-fstack-usage",
  "-Wall",
  "-Werror",
];

/**
 * Options for the C that wasm2c writes, which has functions and variables that nothing uses. Its
 * sums stay in the order of sha256.ts, which keeps few values at a time.
 */
export const generatedOptions = [
  "-fno-tree-reassoc",
  "-Wno-unused-function",
  "-Wno-unused-variable",
  "-Wno-unused-value",
  "-fno-builtin",
  "-DNDEBUG",
];

/** Options of the linker. */
export const linkOptions = [
  "--build-id=none",
  "--gc-sections",
  "-z",
  "noexecstack",
  "-static",
  "-T",
  join(source, "shim", "x86_64", "boot-domain.lds"),
];

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function contentKey(xen: XenVersion): Promise<string> {
  const hash = createHash("sha256").update(xen);
  const tools = [
    await execa("gcc", ["--version"]),
    await execa("wasm2c", ["--version"]),
    await execa("ld", ["--version"]),
  ];
  for (const tool of tools) hash.update(tool.stdout);
  const inputs = [
    ...(await filesBelow(source)).filter((file) => !file.endsWith(".test.ts")),
    ...(await filesBelow(join(paths.checkout, "contract"))),
    join(paths.checkout, "package-lock.json"),
  ];
  for (const file of inputs)
    hash.update(relative(paths.checkout, file)).update(await readFile(file));
  for (const file of await filesBelow(join(paths.xenInclude(xen), "public"))) {
    hash.update(await readFile(file));
  }
  return hash.digest("hex");
}

/** What the C side takes from contract/ and from the options above. */
function contractHeader(): string {
  const defines = {
    LINEAR_MEMORY_BYTES: LINEAR_MEMORY_PAGES * WASM_PAGE_BYTES,
    MAX_IMAGE_BYTES,
    PAGE_SIZE,
    TRUST_BYTES: TrustRecord.size,
  };
  return Object.entries(defines)
    .map(([name, value]) => `#define ${name} 0x${value.toString(16)}U\n`)
    .join("");
}

/** Copies to `directory` what the wasm is made of, with the constants of one Xen. */
async function copySources(directory: string, xen: XenVersion): Promise<void> {
  for (const folder of [join("bootdomain", "assembly"), "contract"]) {
    await cp(join(paths.checkout, folder), join(directory, folder), { recursive: true });
  }
  const constants = join(directory, "contract", "xen-abi");
  if (xen !== "4.17") await copyFile(`${constants}-${xen}.ts`, `${constants}.ts`);
}

/** Compiles the boot domain into a folder; `change` is given the copies of its sources first. */
export async function compileTo(
  directory: string,
  xen: XenVersion = "4.17",
  change: (sources: string) => Promise<void> = async () => {},
): Promise<void> {
  const file = (name: string): string => join(directory, name);
  const run = async (command: string, options: readonly string[]): Promise<void> => {
    const places = { cwd: directory, localDir: paths.checkout };
    await execa(command, options, { ...places, preferLocal: true, env: buildEnvironment() });
  };
  const wasm2cRuntime = "/usr/src/wasm2c";
  const gcc = [
    ...gccOptions,
    `-ffile-prefix-map=${directory}=.`,
    `-ffile-prefix-map=${paths.checkout}=.`,
    "-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0",
    "-DWASM_RT_USE_STACK_DEPTH_COUNT=0",
    "-I",
    directory,
    "-I",
    wasm2cRuntime,
    "-I",
    paths.xenInclude(xen),
    "-c",
  ];
  const shim = join(source, "shim", "x86_64");

  const sources = file("sources");
  await copySources(sources, xen);
  await change(sources);
  const index = relative(directory, join(sources, "bootdomain", "assembly", "index.ts"));
  await run("asc", [index, ...ascOptions, "-o", "domb.wasm"]);
  await rm(sources, { recursive: true });
  await run("wasm2c", ["-n", "domb", file("domb.wasm"), "-o", file("domb.c")]);
  await writeFile(file("contract.h"), contractHeader());
  await run("gcc", [...gcc, ...generatedOptions, file("domb.c"), "-o", file("domb.o")]);
  await run("gcc", [...gcc, join(shim, "machine.c"), "-o", file("machine.o")]);
  await run("gcc", [
    ...gcc,
    "-D__ASSEMBLY__",
    `-DSTACK_BYTES=${STACK_BYTES}`,
    `-DTRUST_BYTES=${TrustRecord.size}`,
    `-DTRUST_NOTE=${TRUST_NOTE}`,
    join(shim, "entry.S"),
    "-o",
    file("entry.o"),
  ]);
  await run("ld", [
    ...linkOptions,
    file("entry.o"),
    file("machine.o"),
    file("domb.o"),
    "-o",
    file("domb.elf"),
  ]);
}

/** Builds the boot domain for a Xen unless it is up to date; returns whether it did. */
export async function buildBootDomain(xen: XenVersion = "4.17"): Promise<boolean> {
  const output = paths.bootDomainFolder(xen);
  const key = await contentKey(xen);
  const stamp = await readFile(join(output, "key"), "utf8").catch(() => "");
  if (stamp === key) return false;
  const temporary = `${output}.new`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  await compileTo(temporary, xen);
  await writeFile(join(temporary, "key"), key);
  await rm(output, { recursive: true, force: true });
  await rename(temporary, output);
  return true;
}

/** Builds one for each Xen that is there. */
async function main(): Promise<void> {
  await buildBootDomain();
  if (existsSync(paths.upstreamXenFolder)) await buildBootDomain("4.23");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
