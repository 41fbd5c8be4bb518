// SPDX-License-Identifier: Apache-2.0
// The kernel of the example domains, and its modules for Xen: the newest cloud kernel of Debian's
// stable release when the cache was filled. Debian drops older ones, so it can't be pinned; apt
// verifies it. A cached one stays until `cloud-kernel` is removed from the cache.

import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openApt } from "./apt.js";
import { cached, placeLink } from "./cache.js";
import { outputOf, withLog } from "./child.js";
import { EXIT, fail, succeed } from "./outcome.js";
import { paths } from "./paths.js";

const META_PACKAGE = "linux-image-cloud-amd64";

/**
 * The package that a meta package's description leads to, as "name=version", or undefined.
 *
 * @param {string} description what `apt-cache show` prints
 */
export function versionedKernel(description) {
  const match = /^Depends:.*?\b(linux-image-[\w.+-]+-cloud-amd64) \(= ([^)\s]+)\)/m.exec(
    description,
  );
  return match ? `${match[1]}=${match[2]}` : undefined;
}

/**
 * @param {import("./child.js").SetUp} setUp
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
export async function prepareGuestKernel(setUp) {
  const kernel = await cached(setUp, "cloud-kernel", (folder) =>
    withLog(
      setUp,
      { title: "fetching Debian's cloud kernel", log: "guest-kernel" },
      async (run) => {
        const apt = await openApt(setUp, run);
        if (!apt.ok) return apt;
        const { configuration, attempt } = apt.value;
        const show = ["-c", configuration, "show", "--no-all-versions", META_PACKAGE];
        const wanted = versionedKernel(outputOf("apt-cache", show) ?? "");
        if (wanted === undefined) {
          const what = `Debian's package lists have no ${META_PACKAGE} that names its kernel`;
          return fail({
            exitCode: EXIT.environment,
            what,
            fix: "check this machine's apt sources",
          });
        }
        const download = join(folder, "package");
        await mkdir(download);
        const fetch = ["-c", configuration, "download", wanted];
        const fetched = await attempt("apt-get", fetch, { cwd: download });
        if (!fetched.ok) return fetched;
        const [archive = ""] = await readdir(download);
        const unpacked = await run("dpkg-deb", ["--extract", archive, "content"], {
          cwd: download,
        });
        if (!unpacked.ok) return unpacked;
        const boot = join(download, "content", "boot");
        const name = (await readdir(boot)).find((file) => file.startsWith("vmlinuz-"));
        if (name === undefined) {
          return fail({ exitCode: EXIT.environment, what: `${wanted} holds no boot/vmlinuz` });
        }
        await rename(join(boot, name), join(folder, "vmlinuz"));
        const release = name.replace("vmlinuz-", "");
        const drivers = join(download, "content", "lib", "modules", release, "kernel", "drivers");
        await rename(join(drivers, "xen"), join(folder, "xen-modules"));
        await writeFile(join(folder, "package.txt"), `${wanted}\n`);
        await rm(download, { recursive: true });
        return succeed(undefined);
      },
    ),
  );
  if (kernel.ok) {
    await placeLink(join(kernel.value, "vmlinuz"), paths.guestKernel);
    await placeLink(join(kernel.value, "xen-modules"), paths.guestKernelModules);
  }
  return kernel;
}
