// SPDX-License-Identifier: Apache-2.0
// An earlier launch that GRUB starts when the new one has failed again and again: taken whole from
// the medium that it was started from, with its Xen and its options. GRUB counts starts, since it
// can't know how one ended; whoever has the disk says that one was good. docs/boot-media.md says how.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { MediumFile } from "./launch-parts.js";
import { MediaError } from "./problem.js";

/** How often a new launch is started that nobody calls good. */
export const launchTries = 3;

/** GRUB's menu on a medium. */
export const menuFile = "boot/grub/grub.cfg";

const ENVIRONMENT_BYTES = 1024;

export interface EarlierLaunch {
  /** Its files, where they lie on the new medium. */
  readonly files: readonly MediumFile[];
  /** Its image, where it lies on the earlier medium. */
  readonly image: MediumFile;
  /** GRUB's commands that start it from there. */
  readonly commands: readonly string[];
}

/** A command of a menu entry as grub.ts writes it, and the file that it names. */
const COMMAND = /^ {2}(multiboot2|module2 --nounzip) \/(boot\/(?:fallback\/)?([\w.-]+))((?: .*)?)$/;

/**
 * Takes the launch from an earlier medium's folder. If that has a fallback of its own, and nobody
 * has called its new launch good, the fallback it is. Throws a MediaError if the folder is no medium.
 */
export async function earlierLaunch(
  folder: string,
  read: (path: string) => Promise<Uint8Array> = (path) => readFile(path),
): Promise<EarlierLaunch> {
  const menuPath = join(folder, menuFile);
  const [entry, fallback] = entriesOf(textOf(await read(menuPath)));
  const isGood =
    fallback === undefined ||
    /^domb_tries=unlimited$/m.test(textOf(await read(join(folder, triesFile.path))));
  const origins: MediumFile[] = [];
  const files: MediumFile[] = [];
  const commands: string[] = [];
  for (const line of (isGood ? entry : fallback) ?? []) {
    const found = COMMAND.exec(line);
    if (found === null) throw unfit(menuPath);
    const [, command, origin = "", name, options] = found;
    const path = `boot/fallback/${name}`;
    const bytes = await read(join(folder, origin));
    origins.push({ path: origin, bytes });
    files.push({ path, bytes });
    commands.push(`${command} /${path}${options}`);
  }
  // Xen, the boot domain, the image.
  const image = origins[2];
  if (image === undefined) throw unfit(menuPath);
  return { files, image, commands };
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** The lines within each entry of a menu. */
function entriesOf(menu: string): readonly (readonly string[])[] {
  return menu
    .split(/^menuentry .*\n/m)
    .slice(1)
    .map((entry) => entry.slice(0, entry.indexOf("}")).split("\n").slice(0, -1));
}

function unfit(menuPath: string): MediaError {
  return new MediaError({
    kind: "unfit-part",
    what: `${menuPath} is no menu as \`domb media --grub\` writes it`,
    fix: "Make the earlier medium again from its image, and name its folder.",
  });
}

/**
 * The beginning of a menu whose first entry is the new launch, and whose second is the earlier one.
 * A try is written down before it is made: where that fails, it could be made for ever.
 */
export const fallbackChoice: readonly string[] = [
  "# domb_tries in grubenv: how often the first entry is still started, or unlimited.",
  "set timeout=0",
  "set default=1",
  "set fallback=1",
  "load_env --skip-sig domb_tries",
  "set left=",
  ...Array.from(
    { length: launchTries },
    (_, left) => `if [ "$domb_tries" = "${left + 1}" ]; then set left=${left}; fi`,
  ),
  'if [ -n "$left" ]; then',
  "  set domb_tries=$left",
  "  if save_env domb_tries; then set default=0; fi",
  "fi",
  'if [ "$domb_tries" = "unlimited" ]; then set default=0; fi',
];

/** GRUB's environment block, in which it writes. */
export const triesFile: MediumFile = {
  path: "boot/grub/grubenv",
  bytes: Buffer.from(
    `# GRUB Environment Block\ndomb_tries=${launchTries}\n`.padEnd(ENVIRONMENT_BYTES, "#"),
  ),
};
