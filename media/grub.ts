// SPDX-License-Identifier: Apache-2.0
// The files that GRUB starts a launch from, by the Multiboot2 protocol: Xen, its boot modules and a
// menu entry. GRUB checks none of them unless it is told to; docs/boot-media.md says more.

import { type LaunchParts, type MediumFile, xenCommandLine } from "./launch-parts.js";

const paths = {
  xen: "boot/xen",
  bootDomain: "boot/boot-domain.elf",
  image: "boot/launch.domb",
  policy: "boot/xenpolicy",
  configuration: "boot/grub/grub.cfg",
} as const;

/** Xen's boot modules in their order: the boot domain, its ramdisk, and the policy if there is one. */
function moduleFiles({ bootDomain, image, policy }: LaunchParts): readonly MediumFile[] {
  return [
    { path: paths.bootDomain, bytes: bootDomain },
    { path: paths.image, bytes: image },
    ...(policy === undefined ? [] : [{ path: paths.policy, bytes: policy }]),
  ];
}

/** GRUB's menu. Modules are given as they are: GRUB would unpack what looks packed. */
export function grubConfiguration(parts: LaunchParts): string {
  const options = xenCommandLine(parts.xenOptions).split(" ");
  return [
    "set default=0",
    "set timeout=0",
    "menuentry 'domb launch' {",
    // GRUB's own Xen entries have this word too: some take the first one for Xen's name.
    `  multiboot2 /${paths.xen} placeholder ${options.map((option) => `'${option}'`).join(" ")}`,
    ...moduleFiles(parts).map(({ path }) => `  module2 --nounzip /${path}`),
    "}",
    "",
  ].join("\n");
}

/** All files, the menu last, which names the others. */
export function grubFiles(xen: Uint8Array, parts: LaunchParts): readonly MediumFile[] {
  return [
    { path: paths.xen, bytes: xen },
    ...moduleFiles(parts),
    { path: paths.configuration, bytes: Buffer.from(grubConfiguration(parts)) },
  ];
}
