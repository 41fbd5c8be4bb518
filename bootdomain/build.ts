// SPDX-License-Identifier: Apache-2.0
// Builds the boot domain: AssemblyScript → wasm → wasm2c's C → a freestanding kernel for each
// architecture, PVH on x86-64, an Image on arm64. Each stage's output stays in build/bootdomain/:
// domb.wasm, domb.c, domb.elf, domb-arm64.image. Nothing is rebuilt while the sources, tools and
// Xen's headers are the same. Each Xen has a boot domain of its own, of the same sources with that
// Xen's constants.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { MACHINE_ARM64, MACHINE_X86_64 } from "../contract/image.js";
import { MAX_IMAGE_BYTES, PAGE_SIZE } from "../contract/limits.js";
import { TRUST_NOTE, TrustRecord } from "../contract/trust.js";
import { GUEST_RAM0_BASE } from "../contract/xen-abi-arm64.js";
import { buildEnvironment } from "../setup/build-environment.js";
import { type Architecture, paths, type XenVersion } from "../setup/paths.js";

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
  /** The arm64 Image with its symbols. */
  arm64Elf: join(output, "arm64", "domb.elf"),
  arm64Image: join(output, "domb-arm64.image"),
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

/** What differs between the architectures. */
interface Toolchain {
  /** What the names of compiler and linker begin with. */
  readonly prefix: string;
  readonly gccOptions: readonly string[];
  readonly linkOptions: readonly string[];
  /** Where the objects and the linked kernel lie in the output. */
  readonly folder: string;
}

/** Options of the C compiler everywhere. Without SSE or SIMD the boot domain needs no FPU state. */
const commonGccOptions = [
  "-std=gnu11",
  "-Os",
  "-ffreestanding",
  "-fno-pic",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-ident",
  "-fno-strict-aliasing",
  "-ffunction-sections",
  "-mgeneral-regs-only",
  "-fstack-usage",
  "-Wall",
  "-Werror",
];

const toolchains: Readonly<Record<Architecture, Toolchain>> = {
  x86_64: {
    prefix: "",
    gccOptions: ["-fcf-protection=none", "-mno-red-zone"],
    linkOptions: [],
    folder: ".",
  },
  arm64: {
    prefix: "aarch64-linux-gnu-",
    gccOptions: [`-DGUEST_RAM=0x${GUEST_RAM0_BASE.toString(16)}`],
    linkOptions: [`--defsym=GUEST_RAM=0x${GUEST_RAM0_BASE.toString(16)}`],
    folder: "arm64",
  },
};

/** The compiler or another program of its kind for an architecture. */
export function toolFor(architecture: Architecture, name: string): string {
  return `${toolchains[architecture].prefix}${name}`;
}

/** Options of the C compiler. */
export function gccOptions(architecture: Architecture = "x86_64"): string[] {
  return [...commonGccOptions, ...toolchains[architecture].gccOptions];
}

/**
 * Options for the C that wasm2c writes, which has functions and variables that nothing uses. Its
 * sums stay in the order of sha256.ts, which keeps few values at a time, and no register is taken
 * for what a loop could compute before it begins.
 */
export const generatedOptions = [
  "-fno-tree-reassoc",
  "-fno-move-loop-invariants",
  "-Wno-unused-function",
  "-Wno-unused-variable",
  "-Wno-unused-value",
  "-fno-builtin",
  "-DNDEBUG",
];

/** Options of the linker. */
export function linkOptions(architecture: Architecture = "x86_64"): string[] {
  return [
    "--build-id=none",
    "--gc-sections",
    "-z",
    "noexecstack",
    "-static",
    ...toolchains[architecture].linkOptions,
    "-T",
    join(source, "shim", architecture, "boot-domain.lds"),
  ];
}

/** Where the objects of an architecture lie in a folder that was compiled to. */
export function objectFolder(directory: string, architecture: Architecture = "x86_64"): string {
  return join(directory, toolchains[architecture].folder);
}

/** What entry.S of each architecture takes from here and from contract/. */
export const entryDefines = [
  "-D__ASSEMBLY__",
  `-DSTACK_BYTES=${STACK_BYTES}`,
  `-DTRUST_BYTES=${TrustRecord.size}`,
  `-DTRUST_NOTE=${TRUST_NOTE}`,
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
    await execa(toolFor("arm64", "gcc"), ["--version"]),
    await execa(toolFor("arm64", "ld"), ["--version"]),
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
    MACHINE_ARM64,
    MACHINE_X86_64,
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

/** Runs programs in a folder, those of npm's packages too. */
function runIn(directory: string) {
  const places = { cwd: directory, localDir: paths.checkout };
  return async (command: string, options: readonly string[]): Promise<void> => {
    await execa(command, options, { ...places, preferLocal: true, env: buildEnvironment() });
  };
}

/** Compiles the boot domain into a folder; `change` is given the copies of its sources first. */
export async function compileTo(
  directory: string,
  xen: XenVersion = "4.17",
  change: (sources: string) => Promise<void> = async () => {},
): Promise<void> {
  const run = runIn(directory);
  const sources = join(directory, "sources");
  await copySources(sources, xen);
  await change(sources);
  const index = relative(directory, join(sources, "bootdomain", "assembly", "index.ts"));
  await run("asc", [index, ...ascOptions, "-o", "domb.wasm"]);
  await rm(sources, { recursive: true });
  await compileWasm(directory, xen);
}

/** Compiles the kernels of a folder's domb.wasm into that folder. */
export async function compileWasm(directory: string, xen: XenVersion = "4.17"): Promise<void> {
  const file = (name: string): string => join(directory, name);
  const run = runIn(directory);
  await run("wasm2c", ["-n", "domb", file("domb.wasm"), "-o", file("domb.c")]);
  await writeFile(file("contract.h"), contractHeader());
  for (const architecture of ["x86_64", "arm64"] as const) await compileKernel(architecture);
  await run(toolFor("arm64", "objcopy"), [
    ...["-O", "binary", join(objectFolder(directory, "arm64"), "domb.elf")],
    file("domb-arm64.image"),
  ]);

  async function compileKernel(architecture: Architecture): Promise<void> {
    const objects = objectFolder(directory, architecture);
    await mkdir(objects, { recursive: true });
    const shim = join(source, "shim", architecture);
    const compile = (from: string, name: string, more: readonly string[] = []): Promise<void> =>
      run(toolFor(architecture, "gcc"), [
        ...gccOptions(architecture),
        `-ffile-prefix-map=${directory}=.`,
        `-ffile-prefix-map=${paths.checkout}=.`,
        "-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0",
        "-DWASM_RT_USE_STACK_DEPTH_COUNT=0",
        ...[directory, "/usr/src/wasm2c", paths.xenInclude(xen)].flatMap((path) => ["-I", path]),
        ...more,
        ...["-c", from, "-o", join(objects, name)],
      ]);
    await compile(file("domb.c"), "domb.o", generatedOptions);
    await compile(join(shim, "machine.c"), "machine.o");
    await compile(join(shim, "entry.S"), "entry.o", entryDefines);
    const names = ["entry.o", "machine.o", "domb.o"].map((name) => join(objects, name));
    const kernel = join(objects, "domb.elf");
    await run(toolFor(architecture, "ld"), [...linkOptions(architecture), ...names, "-o", kernel]);
  }
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
