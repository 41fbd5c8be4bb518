// SPDX-License-Identifier: Apache-2.0
// The Debian packages that domb needs, each with its reason and the files that show that it is
// there, wherever they came from. Installing them asks first, and is the only thing done as root.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { createInterface } from "node:readline/promises";
import { outputOf, withLog } from "./child.js";
import { EXIT, fail, INTERRUPTED, succeed } from "./outcome.js";

/**
 * A needed package; `needs` are programs of the PATH, or absolute paths of files.
 *
 * @typedef {{ name: string, reason: string, needs: readonly string[] }} Package
 */

/** @type {readonly Package[]} */
export const packages = [
  { name: "gcc", reason: "compiles Xen and the boot domain", needs: ["gcc"] },
  { name: "binutils", reason: "links Xen and the boot domain", needs: ["ld", "objcopy"] },
  { name: "libc6-dev", reason: "Xen's build tools", needs: ["/usr/include/stdio.h"] },
  { name: "make", reason: "builds Xen", needs: ["make"] },
  { name: "bison", reason: "Xen's configuration tool", needs: ["bison"] },
  { name: "flex", reason: "Xen's configuration tool", needs: ["flex"] },
  { name: "python3", reason: "Xen's build tools", needs: ["python3"] },
  { name: "m4", reason: "expands Xen's FLASK policy", needs: ["m4"] },
  { name: "checkpolicy", reason: "compiles Xen's FLASK policy", needs: ["checkpolicy"] },
  { name: "patch", reason: "applies domb's patches to Xen", needs: ["patch"] },
  { name: "dpkg-dev", reason: "unpacks Debian's source of Xen", needs: ["dpkg-source"] },
  { name: "xz-utils", reason: "unpacks Debian's source of Xen", needs: ["xz"] },
  {
    name: "wabt",
    reason: "turns the boot domain's wasm into C",
    needs: ["wasm2c", "/usr/src/wasm2c/wasm-rt.h"],
  },
  { name: "busybox-static", reason: "userspace of the example domains", needs: ["busybox"] },
  { name: "procps", reason: "tests look for processes that are left", needs: ["pgrep"] },
  { name: "qemu-system-x86", reason: "boots the launch", needs: ["qemu-system-x86_64"] },
  {
    name: "qemu-system-arm",
    reason: "boots the launch on arm64",
    needs: ["qemu-system-aarch64"],
  },
  { name: "osslsigncode", reason: "signs boot media", needs: ["osslsigncode"] },
  {
    name: "ovmf",
    reason: "firmware with Secure Boot, for tests of boot media",
    needs: ["/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"],
  },
  {
    name: "qemu-efi-aarch64",
    reason: "arm64 firmware with EFI, for tests of boot media",
    needs: ["/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"],
  },
  {
    name: "u-boot-qemu",
    reason: "arm64 firmware of boards, for tests of boot media",
    needs: ["/usr/lib/u-boot/qemu_arm64/u-boot.bin"],
  },
  { name: "u-boot-tools", reason: "makes and signs boot media for U-Boot", needs: ["mkimage"] },
  {
    name: "grub-common",
    reason: "tests make a disk with GRUB of boot media",
    needs: ["grub-mkrescue"],
  },
  {
    name: "grub-pc-bin",
    reason: "tests start GRUB from a BIOS",
    needs: ["/usr/lib/grub/i386-pc/boot.img"],
  },
  { name: "xorriso", reason: "grub-mkrescue writes a disk with it", needs: ["xorriso"] },
  { name: "mtools", reason: "grub-mkrescue fills a disk with it", needs: ["mformat"] },
  { name: "openssl", reason: "tests make keys", needs: ["openssl"] },
  { name: "chromium", reason: "tests look at reports in a browser", needs: ["chromium"] },
  { name: "acpica-tools", reason: "tests read ACPI tables with iasl", needs: ["iasl"] },
  { name: "device-tree-compiler", reason: "tests compare device trees with dtc", needs: ["dtc"] },
  {
    name: "gcc-aarch64-linux-gnu",
    reason: "compiles Xen and the boot domain for arm64",
    needs: ["aarch64-linux-gnu-gcc"],
  },
  {
    name: "libc6-dev-arm64-cross",
    reason: "tests of the boot domain's C on arm64",
    needs: ["/usr/aarch64-linux-gnu/include/stdio.h"],
  },
  {
    name: "qemu-user",
    reason: "tests run the boot domain's C for arm64",
    needs: ["qemu-aarch64"],
  },
];

/** Without these, domb can't fetch or install anything from Debian. */
const DEBIAN_PROGRAMS = ["apt-get", "apt-cache", "dpkg-deb"];

/**
 * Path of a program, or undefined.
 *
 * @param {string} name
 * @param {NodeJS.ProcessEnv} environment
 */
export function findProgram(name, environment = process.env) {
  const folders = [...(environment.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @param {readonly Package[]} wanted
 */
export function missingPackages(environment = process.env, wanted = packages) {
  const isThere = (/** @type {string} */ need) =>
    isAbsolute(need) ? existsSync(need) : findProgram(need, environment) !== undefined;
  return wanted.filter(({ needs }) => !needs.every(isThere));
}

/** @param {readonly Package[]} missing */
export function installCommand(missing) {
  const install = ["apt-get", "install", "-y", "--no-install-recommends"];
  return [...install, ...missing.map(({ name }) => name)].join(" ");
}

/** The programs of Debian itself that this machine lacks: empty on Debian. */
export function missingDebianPrograms(environment = process.env) {
  return DEBIAN_PROGRAMS.filter((name) => findProgram(name, environment) === undefined);
}

const isRoot = () => process.getuid?.() === 0;
const isTerminal = () => process.stdin.isTTY === true && process.stderr.isTTY === true;

/**
 * @param {readonly Package[]} missing
 * @param {AbortSignal} signal
 */
async function isAllowed(missing, signal) {
  const width = Math.max(...missing.map(({ name }) => name.length));
  const list = missing.map(({ name, reason }) => `  ${name.padEnd(width)}  ${reason}`);
  const command = `${isRoot() ? "" : "sudo "}${installCommand(missing)}`;
  const text = ["Debian packages are missing:", ...list, `Run \`${command}\` now? [Y/n] `];
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  // A terminal in raw mode gives Ctrl-C to the dialogue, not to the process.
  dialogue.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    return /^(y(es)?)?$/i.test((await dialogue.question(text.join("\n"), { signal })).trim());
  } catch {
    return false;
  } finally {
    dialogue.close();
  }
}

/**
 * Installs what is missing. Refreshes the machine's package lists and finishes an interrupted
 * dpkg only if the first attempt fails.
 *
 * @param {import("./child.js").SetUp} setUp
 * @param {readonly Package[]} wanted
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
export async function preparePackages(setUp, wanted = packages) {
  const missing = missingPackages(setUp.environment, wanted);
  if (missing.length === 0) return succeed(undefined);
  const names = missing.map(({ name }) => name).join(" ");
  const lacking = (/** @type {string} */ why, /** @type {string} */ fix) =>
    fail({ exitCode: EXIT.environment, what: `missing packages: ${names}; ${why}`, fix });

  const notDebian = missingDebianPrograms(setUp.environment);
  if (notDebian.length > 0) {
    return lacking(`this is no Debian: no ${notDebian.join(", ")}`, "use Debian 12");
  }
  const byHand = `${isRoot() ? "" : "sudo "}${installCommand(missing)}`;
  const mayInstall = setUp.assumeYes || (isTerminal() && (await isAllowed(missing, setUp.signal)));
  if (setUp.signal.aborted) return INTERRUPTED;
  if (!mayInstall) {
    const why = isTerminal() ? "you said no" : "there is no terminal to ask on";
    return lacking(why, `run \`${byHand}\`, or again with --yes`);
  }
  if (!isRoot()) {
    if (findProgram("sudo", setUp.environment) === undefined) {
      return lacking(
        "you are not root and there is no sudo",
        `as root, run \`${installCommand(missing)}\``,
      );
    }
    // Programs that write to a log can't ask for a password: let sudo ask now.
    const validate = isTerminal() ? ["--validate"] : ["--non-interactive", "--validate"];
    if (spawnSync("sudo", validate, { stdio: "inherit" }).status !== 0) {
      return lacking("sudo refuses", `as root, run \`${installCommand(missing)}\``);
    }
  }

  const step = { title: `installing ${names}`, log: "packages" };
  return withLog(setUp, step, async (run) => {
    const asRoot = (/** @type {string[]} */ ...command) => {
      const [program = "", ...parameters] = isRoot() ? command : ["sudo", "-n", ...command];
      return run(program, parameters, {
        env: { DEBIAN_FRONTEND: "noninteractive" },
        patient: true,
      });
    };
    const install = () => asRoot(...installCommand(missing).split(" "));
    const first = await install();
    if (first.ok || setUp.signal.aborted) return first;
    const updated = await asRoot("apt-get", "update");
    if (!updated.ok) return updated;
    if (outputOf("dpkg", ["--audit"])) await asRoot("dpkg", "--configure", "-a");
    return install();
  });
}
