// SPDX-License-Identifier: Apache-2.0
// What U-Boot starts a launch from on an arm64 board: files and a script that loads them, or one
// signed FIT image. The device tree that Xen gets is the board's own, with Xen's options and the boot
// modules in /chosen; it names no domain. docs/boot-media.md says what is checked by whom.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DeviceTree,
  nodeAt,
  nodesCompatibleWith,
} from "../compiler/device-tree/device-tree.js";
import { imageMemoryBytes } from "../compiler/materials/arm64-image.js";
import { placeInMemory } from "./board-memory.js";
import { type LaunchParts, type MediumFile, xenCommandLine } from "./launch-parts.js";
import { MediaError } from "./problem.js";
import { runProgram } from "./programs.js";
import { type ModuleKind, moduleCompatibles, moduleName, type PlacedModule } from "./xen-tree.js";

/** A board's device tree, as its file has it. */
export interface BoardTree {
  readonly bytes: Uint8Array;
  readonly tree: DeviceTree;
}

const paths = {
  script: "boot.scr",
  scriptSource: "boot.cmd",
  xen: "xen",
  board: "board.dtb",
  kernel: "boot-domain.image",
  ramdisk: "launch.domb",
  policy: "xenpolicy",
} as const;

/** Room for what is added to the board's tree: by the script, and by U-Boot itself. */
export const TREE_GROWTH_BYTES = 0x4000;

/** U-Boot's `fdt set` takes no longer value (SCRATCHPAD in cmd/fdt.c). */
const MOST_OPTION_BYTES = 1023;

/** Throws a MediaError if a board's tree tells Xen of more than hardware. */
export function checkBoard({ root }: DeviceTree, path: string): void {
  for (const compatible of ["multiboot,module", "xen,domain"]) {
    const [found] = nodesCompatibleWith(root, compatible);
    if (found === undefined) continue;
    throw new MediaError({
      kind: "unfit-part",
      what: `${path} has ${found.path}, which is compatible with ${compatible}`,
      fix: "Give the board's own device tree: domb adds the boot modules, and the image has the domains.",
    });
  }
}

/** A boot module with its bytes and its place. */
export interface LoadedModule extends PlacedModule {
  readonly content: Uint8Array;
}

/** What lies where when U-Boot starts Xen. */
export interface MemoryLayout {
  readonly xen: number;
  readonly board: number;
  readonly modules: readonly LoadedModule[];
  /** Behind all of them: where one file with all of them can be loaded. */
  readonly whole: number;
}

/** Places all parts in the board's memory, and one more of so many bytes behind them. */
export function layOut(
  xen: Uint8Array,
  { tree, bytes }: BoardTree,
  { bootDomain, image, policy }: LaunchParts,
  wholeBytes = 0,
): MemoryLayout {
  const contents: [ModuleKind, Uint8Array][] = [
    ["kernel", bootDomain],
    ["ramdisk", image],
    ...(policy === undefined ? [] : [["policy", policy] as [ModuleKind, Uint8Array]]),
  ];
  const [xenAt = 0, boardAt = 0, ...others] = placeInMemory(tree, [
    imageMemoryBytes(xen),
    bytes.length + TREE_GROWTH_BYTES,
    ...contents.map(([, content]) => content.length),
    wholeBytes,
  ]);
  const modules = contents.map(([kind, content], index) => ({
    kind,
    content,
    bytes: content.length,
    address: others[index] ?? 0,
  }));
  return { xen: xenAt, board: boardAt, modules, whole: others[contents.length] ?? 0 };
}

const hexadecimal = (value: number): string => `0x${value.toString(16)}`;

/** The command that loads a file of the script's folder. */
const loadCommand = (path: string, address: number): string =>
  `load \${devtype} \${devnum}:\${distro_bootpart} ${hexadecimal(address)} \${prefix}${path}`;

/** A value of two cells in U-Boot's words. */
const pairOfCells = (value: number): string =>
  `${hexadecimal(Math.floor(value / 2 ** 32))} ${hexadecimal(value % 2 ** 32)}`;

/** Keeps the device tree where it was loaded to, whatever the board's environment says. */
const keepTree = "setenv fdt_high 0xffffffffffffffff";

function moduleCommands({ kind, address, bytes }: PlacedModule): string[] {
  const node = `/chosen/${moduleName(address)}`;
  const compatible = moduleCompatibles[kind].map((text) => `"${text}"`).join(" ");
  return [
    `fdt mknode /chosen ${moduleName(address)}`,
    `fdt set ${node} compatible ${compatible}`,
    `fdt set ${node} reg "<${pairOfCells(address)} ${pairOfCells(bytes)}>"`,
  ];
}

/** The script that loads all files and starts Xen. */
export function bootScript(layout: MemoryLayout, board: DeviceTree, parts: LaunchParts): string {
  const options = xenCommandLine(parts.xenOptions);
  if (options.length > MOST_OPTION_BYTES) {
    throw new MediaError({
      kind: "unfit-part",
      what: `Xen's command line has ${options.length} bytes; U-Boot's fdt command takes ${MOST_OPTION_BYTES}`,
      fix: "Leave out options of --xen-option.",
    });
  }
  const loads = [
    loadCommand(paths.xen, layout.xen),
    loadCommand(paths.board, layout.board),
    ...layout.modules.map(({ kind, address }) => loadCommand(paths[kind], address)),
  ];
  return [
    "# Starts a launch of domb with U-Boot, from the folder that this script is in.",
    // U-Boot's shell goes on after a command that failed, and does not break lines within a list.
    `if ${loads.join(" && ")}; then`,
    `fdt addr ${hexadecimal(layout.board)}`,
    `fdt resize ${hexadecimal(TREE_GROWTH_BYTES / 2)}`,
    ...(nodeAt(board.root, "/chosen") === undefined ? ["fdt mknode / chosen"] : []),
    'fdt set /chosen "#address-cells" "<2>"',
    'fdt set /chosen "#size-cells" "<2>"',
    `fdt set /chosen xen,xen-bootargs "${options}"`,
    ...layout.modules.flatMap(moduleCommands),
    keepTree,
    `booti ${hexadecimal(layout.xen)} - ${hexadecimal(layout.board)}`,
    "fi",
    "",
  ].join("\n");
}

/** The script that loads one file and has U-Boot check and start it. */
export function fitScript(path: string, address: number): string {
  return [
    "# Starts a launch of domb with U-Boot, which checks the file's signature if it knows the key.",
    keepTree,
    `${loadCommand(path, address)} && bootm ${hexadecimal(address)}`,
    "",
  ].join("\n");
}

/** A script as text, and as U-Boot takes it. */
export async function scriptFiles(text: string, signal?: AbortSignal): Promise<MediumFile[]> {
  const directory = await mkdtemp(join(tmpdir(), "domb-media-"));
  try {
    await writeFile(join(directory, "text"), text);
    const kind = ["-A", "arm64", "-T", "script", "-C", "none", "-n", "domb"];
    await runProgram("mkimage", [...kind, "-d", "text", "script"], { directory, signal });
    return [
      { path: paths.scriptSource, bytes: Buffer.from(text) },
      { path: paths.script, bytes: await readFile(join(directory, "script")) },
    ];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** All files, the script last, which names the others. */
export async function ubootFiles(
  xen: Uint8Array,
  board: BoardTree,
  parts: LaunchParts,
  signal?: AbortSignal,
): Promise<readonly MediumFile[]> {
  const layout = layOut(xen, board, parts);
  return [
    { path: paths.xen, bytes: xen },
    { path: paths.board, bytes: board.bytes },
    ...layout.modules.map(({ kind, content }) => ({ path: paths[kind], bytes: content })),
    ...(await scriptFiles(bootScript(layout, board.tree, parts), signal)),
  ];
}
