// SPDX-License-Identifier: Apache-2.0
// The files that GRUB starts a launch from, by the Multiboot2 protocol: Xen, its boot modules and a
// menu. GRUB checks none of them unless it is told to; docs/boot-media.md says more.

import { type EarlierLaunch, fallbackChoice, menuFile, triesFile } from "./grub-fallback.js";
import { type LaunchParts, type MediumFile, xenCommandLine } from "./launch-parts.js";

const paths = {
  xen: "boot/xen",
  bootDomain: "boot/boot-domain.elf",
  image: "boot/launch.domb",
  policy: "boot/xenpolicy",
} as const;

/** Xen's boot modules in their order: the boot domain, its ramdisk, and the policy if there is one. */
function moduleFiles({ bootDomain, image, policy }: LaunchParts): readonly MediumFile[] {
  return [
    { path: paths.bootDomain, bytes: bootDomain },
    { path: paths.image, bytes: image },
    ...(policy === undefined ? [] : [{ path: paths.policy, bytes: policy }]),
  ];
}

function menuEntry(title: string, commands: readonly string[]): readonly string[] {
  return [`menuentry '${title}' {`, ...commands.map((command) => `  ${command}`), "}"];
}

/** GRUB's menu. Modules are given as they are: GRUB would unpack what looks packed. */
export function grubConfiguration(parts: LaunchParts, earlier?: EarlierLaunch): string {
  const options = xenCommandLine(parts.xenOptions).split(" ");
  const launch = menuEntry("domb launch", [
    // GRUB's own Xen entries have this word too: some take the first one for Xen's name.
    `multiboot2 /${paths.xen} placeholder ${options.map((option) => `'${option}'`).join(" ")}`,
    ...moduleFiles(parts).map(({ path }) => `module2 --nounzip /${path}`),
  ]);
  const lines =
    earlier === undefined
      ? ["set default=0", "set timeout=0", ...launch]
      : [...fallbackChoice, ...launch, ...menuEntry("earlier domb launch", earlier.commands)];
  return `${lines.join("\n")}\n`;
}

/**
 * All files in the order in which they are to be written: the menu last, which names the others. With
 * an earlier launch all that starts that one comes first, so that it is there if writing stops.
 */
export function grubFiles(
  xen: Uint8Array,
  parts: LaunchParts,
  earlier?: EarlierLaunch,
): readonly MediumFile[] {
  const launch = [{ path: paths.xen, bytes: xen }, ...moduleFiles(parts)];
  const menu = { path: menuFile, bytes: Buffer.from(grubConfiguration(parts, earlier)) };
  if (earlier === undefined) return [...launch, menu];
  return [...earlier.files, triesFile, menu, ...launch];
}
