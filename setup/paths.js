// SPDX-License-Identifier: Apache-2.0
// Where everything lies that a set-up makes: the one place that knows. Holds for the sources and
// for their compiled copy in dist/ alike. Whether a thing is there, state.js says.

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** The folder that holds package.json, from the folder of this file upwards. */
function findCheckout() {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no package.json above ${import.meta.dirname}`);
    folder = parent;
  }
  return folder;
}

const checkout = findCheckout();
const build = join(checkout, "build");

/**
 * The cache that all checkouts of a user share.
 *
 * @param {NodeJS.ProcessEnv} environment
 */
export function cacheFolder(environment = process.env) {
  if (environment.DOMB_CACHE) return resolve(environment.DOMB_CACHE);
  return join(environment.XDG_CACHE_HOME || join(homedir(), ".cache"), "domb");
}

/**
 * A version of Xen that there is a series for: Debian's and upstream's.
 *
 * @typedef {"4.17" | "4.23"} XenVersion
 */

/**
 * An architecture of hosts and of the domains on them.
 *
 * @typedef {"x86_64" | "arm64"} Architecture
 */

/**
 * A folder of build/ that each Xen has one of; Debian's on x86-64 has the name alone.
 *
 * @param {string} name
 * @param {XenVersion} version
 * @param {Architecture} architecture
 */
function buildFolder(name, version, architecture = "x86_64") {
  const parts = [name, ...(version === "4.17" ? [] : [version])];
  return join(build, [...parts, ...(architecture === "x86_64" ? [] : [architecture])].join("-"));
}

/**
 * What examples are made of: x86-64's lies in the folder itself.
 *
 * @param {string} name
 * @param {Architecture} architecture
 */
function materialFor(name, architecture) {
  return join(build, "materials", ...(architecture === "x86_64" ? [] : [architecture]), name);
}

/** Absolute paths; functions where the environment may name another place. */
export const paths = {
  checkout,
  build,
  dist: join(checkout, "dist"),
  nodeModules: join(checkout, "node_modules"),
  patches: join(checkout, "hypervisor", "patches", "4.17"),
  upstreamPatches: join(checkout, "hypervisor", "patches", "4.23"),
  /** What differs from Xen's defaults. */
  xenConfiguration: (/** @type {Architecture} */ architecture = "x86_64") =>
    join(checkout, "hypervisor", "config", `${architecture}.config`),
  /** What the configuration of a Xen that starts nothing but a boot domain adds. */
  bootDomainOnlyConfiguration: join(
    checkout,
    "hypervisor",
    "config",
    "x86_64-boot-domain-only.config",
  ),
  /** Link to the built Xen in the cache: `xen`, `xen.efi`, `xen-syms`, `include/public`, `xen.config`. */
  xenFolder: join(build, "xen"),
  /** The same for arm64, without `xen.efi`: there `xen` itself is a program of EFI firmware too. */
  arm64XenFolder: buildFolder("xen", "4.17", "arm64"),
  /** Links to what tests hold Xen against: Xen without the patches, and without what they add. */
  unpatchedXen: join(build, "xen-unpatched"),
  switchedOffXen: join(build, "xen-switched-off"),
  arm64UnpatchedXen: buildFolder("xen-unpatched", "4.17", "arm64"),
  arm64SwitchedOffXen: buildFolder("xen-switched-off", "4.17", "arm64"),
  bootDomainOnlyXenFolder: join(build, "xen-boot-domain-only"),
  /** The same of upstream's Xen, if DOMB_XEN_UPSTREAM named an archive of its tree. */
  upstreamXenFolder: buildFolder("xen", "4.23"),
  upstreamArm64XenFolder: buildFolder("xen", "4.23", "arm64"),
  materials: join(build, "materials"),
  /** Debian's cloud kernel, the kernel of the example domains. */
  guestKernel: join(build, "materials", "vmlinuz"),
  /** A kernel's modules for Xen: a folder of .ko files. */
  kernelModules: (/** @type {Architecture} */ architecture) =>
    materialFor("xen-modules", architecture),
  guestRamdisk: join(build, "materials", "busybox.cpio.gz"),
  /** The same for arm64; the kernel is an Image. */
  arm64GuestKernel: join(build, "materials", "arm64", "Image"),
  arm64GuestRamdisk: join(build, "materials", "arm64", "busybox.cpio.gz"),
  /** The device trees of the arm64 boards that QEMU emulates: with a GICv3, and with a GICv2. */
  arm64Board: join(build, "materials", "arm64", "board.dtb"),
  arm64BoardGicV2: join(build, "materials", "arm64", "board-gicv2.dtb"),
  /** Ramdisk of the example with this name: its own program, and what that needs. */
  exampleRamdisk: (/** @type {string} */ example, /** @type {Architecture} */ architecture) =>
    materialFor(`${example}.cpio.gz`, architecture),
  /** Ramdisk of a control domain: Debian's Xen tools. */
  controlRamdisk: join(build, "materials", "control.cpio.gz"),
  bootDomainWasm: join(build, "bootdomain", "domb.wasm"),
  /** The patched hypervisor as boot loaders start it: ELF, or arm64's Image; DOMB_XEN names another. */
  xen: (
    /** @type {XenVersion} */ version = "4.17",
    /** @type {Architecture} */ architecture = "x86_64",
  ) => process.env.DOMB_XEN || join(buildFolder("xen", version, architecture), "xen"),
  /** The same as a program of EFI firmware; DOMB_XEN_EFI names another. */
  xenEfi: (
    /** @type {XenVersion} */ version = "4.17",
    /** @type {Architecture} */ architecture = "x86_64",
  ) =>
    process.env.DOMB_XEN_EFI ||
    join(buildFolder("xen", version, architecture), architecture === "x86_64" ? "xen.efi" : "xen"),
  /** Folder that holds the patched `public/` headers; DOMB_XEN_INCLUDE names another. */
  xenInclude: (/** @type {XenVersion} */ version = "4.17") =>
    process.env.DOMB_XEN_INCLUDE || join(buildFolder("xen", version), "include"),
  /** The FLASK policy for launches with labels. */
  xenPolicy: () => process.env.DOMB_XEN_POLICY || join(build, "xen-policy", "policy"),
  /** Xen's reference policy, as it lies in Xen's tree; DOMB_XEN_SOURCE names a whole tree. */
  xenPolicySource: () => process.env.DOMB_XEN_SOURCE || join(build, "xen", "policy-source"),
  /** What the boot domain's build leaves: one wasm for all architectures, and a kernel for each. */
  bootDomainFolder: (/** @type {XenVersion} */ version) => buildFolder("bootdomain", version),
  /** The boot domain's kernel, ELF or arm64's Image; DOMB_BOOT_DOMAIN names another. */
  bootDomain: (
    /** @type {XenVersion} */ version = "4.17",
    /** @type {Architecture} */ architecture = "x86_64",
  ) =>
    process.env.DOMB_BOOT_DOMAIN ||
    join(
      buildFolder("bootdomain", version),
      architecture === "x86_64" ? "domb.elf" : "domb-arm64.image",
    ),
};
