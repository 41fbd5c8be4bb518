// SPDX-License-Identifier: Apache-2.0
// The kernels of the example domains, and their modules for Xen: the newest cloud kernel of
// Debian's stable release when the cache was filled. Debian drops older ones, so it can't be pinned;
// apt verifies it. A cached one stays until `cloud-kernel`, or
// `cloud-kernel-arm64`, is removed from the cache.

import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheName, DEBIAN_ARCHITECTURES, openApt } from "./apt.js";
import { cached, placeLink } from "./cache.js";
import { outputOf, withLog } from "./child.js";
import { EXIT, fail, succeed } from "./outcome.js";
import { paths } from "./paths.js";

/** The kernel's name in the cache: as paths.js calls it. */
const KERNELS = { x86_64: "vmlinuz", arm64: "Image" };

/**
 * The package that a meta package's description leads to, as "name=version", or undefined.
 *
 * @param {string} description what `apt-cache show` prints
 */
export function versionedKernel(description) {
  const match = /^Depends:.*?\b(linux-image-[\w.+-]+-cloud-\w+) \(= ([^)\s]+)\)/m.exec(description);
  return match ? `${match[1]}=${match[2]}` : undefined;
}

/**
 * Folder in the cache with the kernel, and `xen-modules`.
 *
 * @param {import("./child.js").SetUp} setUp
 * @param {import("./paths.js").Architecture} architecture
 */
function fetchKernel(setUp, architecture) {
  const debian = DEBIAN_ARCHITECTURES[architecture];
  const log = cacheName("guest-kernel", architecture);
  const step = { title: `fetching Debian's cloud kernel for ${debian}`, log };
  return cached(setUp, cacheName("cloud-kernel", architecture), (folder) =>
    withLog(setUp, step, async (run) => {
      const apt = await openApt(setUp, run, architecture);
      if (!apt.ok) return apt;
      const { configuration, attempt } = apt.value;
      const metaPackage = `linux-image-cloud-${debian}`;
      const show = ["-c", configuration, "show", "--no-all-versions", metaPackage];
      const wanted = versionedKernel(outputOf("apt-cache", show) ?? "");
      if (wanted === undefined) {
        const what = `Debian's package lists have no ${metaPackage} that names its kernel`;
        const fix = "check this machine's apt sources";
        return fail({ exitCode: EXIT.environment, what, fix });
      }
      const download = join(folder, "package");
      await mkdir(download);
      const fetch = ["-c", configuration, "download", wanted];
      const fetched = await attempt("apt-get", fetch, { cwd: download });
      if (!fetched.ok) return fetched;
      const [archive = ""] = await readdir(download);
      const unpacked = await run("dpkg-deb", ["--extract", archive, "content"], { cwd: download });
      if (!unpacked.ok) return unpacked;
      const boot = join(download, "content", "boot");
      const name = (await readdir(boot)).find((file) => file.startsWith("vmlinuz-"));
      if (name === undefined) {
        return fail({ exitCode: EXIT.environment, what: `${wanted} holds no boot/vmlinuz` });
      }
      await rename(join(boot, name), join(folder, KERNELS[architecture]));
      const release = name.replace("vmlinuz-", "");
      const drivers = join(download, "content", "lib", "modules", release, "kernel", "drivers");
      await rename(join(drivers, "xen"), join(folder, "xen-modules"));
      await writeFile(join(folder, "package.txt"), `${wanted}\n`);
      await rm(download, { recursive: true });
      return succeed(undefined);
    }),
  );
}

/**
 * @param {import("./child.js").SetUp} setUp
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
export async function prepareGuestKernel(setUp) {
  const kernel = await fetchKernel(setUp, "x86_64");
  if (!kernel.ok) return kernel;
  await placeLink(join(kernel.value, KERNELS.x86_64), paths.guestKernel);
  await placeLink(join(kernel.value, "xen-modules"), paths.kernelModules("x86_64"));
  return kernel;
}

/**
 * @param {import("./child.js").SetUp} setUp
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
export async function prepareArm64GuestKernel(setUp) {
  const kernel = await fetchKernel(setUp, "arm64");
  if (!kernel.ok) return kernel;
  await placeLink(join(kernel.value, KERNELS.arm64), paths.arm64GuestKernel);
  await placeLink(join(kernel.value, "xen-modules"), paths.kernelModules("arm64"));
  return kernel;
}
