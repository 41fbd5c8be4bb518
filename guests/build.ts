// SPDX-License-Identifier: Apache-2.0
// Builds the tiny kernels that examples and tests start, for each architecture: PVH ones but for
// dom0 into build/guests/NAME.elf, arm64's into build/guests/arm64/NAME.elf and, the same bytes as
// an Image, NAME.image. They take a fraction of a second each, so they are built anew each time.

import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { GUEST_RAM0_BASE } from "../contract/xen-abi-arm64.js";
import { buildEnvironment } from "../setup/build-environment.js";
import { type Architecture, paths } from "../setup/paths.js";

const source = join(paths.checkout, "guests");

/** Where the built kernels of an architecture lie. */
const outputs: Readonly<Record<Architecture, string>> = {
  x86_64: join(paths.checkout, "build", "guests"),
  arm64: join(paths.checkout, "build", "guests", "arm64"),
};

const common = [
  ...(["cpus", "hello", "hoard", "linked", "privileges", "probe"] as const),
  ...(["ready", "receipt", "sensor", "ticker"] as const),
] as const;

const guests = {
  x86_64: [...common, "dom0", "ports"],
  arm64: [...common, "devices"],
} as const;

/** A guest that there is for an architecture. */
type Guest<A extends Architecture> = (typeof guests)[A][number];

/** A guest that there is for every architecture. */
export type CommonGuest = Guest<"x86_64"> & Guest<"arm64">;

/** Path of a built guest. */
export function guestKernel(name: CommonGuest, architecture: Architecture): string;
export function guestKernel(name: Guest<"x86_64">, architecture?: "x86_64"): string;
export function guestKernel(name: Guest<"arm64">, architecture: "arm64"): string;
export function guestKernel(name: string, architecture: Architecture = "x86_64"): string {
  return join(outputs[architecture], `${name}.elf`);
}

/** Path of a built guest for arm64 as an Image. */
export function guestImage(name: Guest<"arm64">): string {
  return join(outputs.arm64, `${name}.image`);
}

const commonOptions = [
  "-std=gnu11",
  "-O2",
  "-ffreestanding",
  "-fno-pic",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-ident",
  "-mgeneral-regs-only",
  "-Wall",
  "-Wno-unused-function",
  "-Werror",
  "-nostdlib",
  "-static",
  "-Wl,--build-id=none",
  // Symbols name gcc's temporary files, which are called otherwise each time.
  "-Wl,--strip-all",
  "-Wl,-z,noexecstack",
];

const guestRam = `GUEST_RAM=0x${GUEST_RAM0_BASE.toString(16)}`;

/** What differs between the architectures. */
const toolchains: Readonly<
  Record<Architecture, { readonly prefix: string; readonly options: readonly string[] }>
> = {
  x86_64: { prefix: "", options: ["-fcf-protection=none", "-mno-red-zone"] },
  arm64: {
    prefix: "aarch64-linux-gnu-",
    options: [
      `-D${guestRam}`,
      `-Wl,--defsym=${guestRam}`,
      "-Wl,-z,max-page-size=4096",
      // They would be calls of libgcc's.
      "-mno-outline-atomics",
    ],
  },
};

/** A guest's files: those of another architecture have its name before their ending. */
async function filesOf(name: string, architecture: Architecture): Promise<string[]> {
  const other = architecture === "x86_64" ? "arm64" : "x86_64";
  const files = (await readdir(join(source, name)))
    .filter((file) => /\.[cS]$/.test(file) && !file.includes(`.${other}.`))
    .sort()
    .map((file) => join(source, name, file));
  const hasEntry = files.some((file) => file.endsWith(`entry.${architecture}.S`));
  return hasEntry ? files : [join(source, architecture, "entry.S"), ...files];
}

async function buildGuest(name: string, architecture: Architecture): Promise<void> {
  const { prefix, options } = toolchains[architecture];
  const output = outputs[architecture];
  const run = async (program: string, words: readonly string[], file: string): Promise<void> => {
    const temporary = join(output, `${file}.new`);
    await execa(`${prefix}${program}`, [...words, temporary], { env: buildEnvironment() });
    await rename(temporary, join(output, file));
  };
  const words = [
    ...commonOptions,
    ...options,
    `-Wl,-T,${join(source, architecture, "kernel.lds")}`,
    `-ffile-prefix-map=${paths.checkout}=.`,
    "-D__XEN_TOOLS__",
    ...[join(source, architecture), paths.xenInclude()].flatMap((folder) => ["-I", folder]),
    ...(await filesOf(name, architecture)),
    "-o",
  ];
  await run("gcc", words, `${name}.elf`);
  if (architecture === "x86_64") return;
  // With the zeroes at its end, which nobody else clears.
  const image = ["-O", "binary", "--set-section-flags", ".bss=alloc,load,contents"];
  await run("objcopy", [...image, join(output, `${name}.elf`)], `${name}.image`);
}

/** Builds all of them. */
export async function buildGuests(): Promise<void> {
  for (const architecture of ["x86_64", "arm64"] as const) {
    await mkdir(outputs[architecture], { recursive: true });
    for (const name of guests[architecture]) await buildGuest(name, architecture);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await buildGuests();
