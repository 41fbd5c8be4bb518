// SPDX-License-Identifier: Apache-2.0
// `domb --version`: versions and digests of domb, the boot domain and Xen, as built here.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { paths } from "../setup/paths.js";
import { XEN_VERSION } from "../setup/xen-source.js";
import { digestOf } from "./describe-launch.js";

function builtDigest(path: string): string {
  try {
    return `SHA-256 ${digestOf(readFileSync(path))}`;
  } catch {
    return "not built: run npm run build";
  }
}

/** One line each. */
export function versionText(): string {
  const { version } = JSON.parse(readFileSync(join(paths.checkout, "package.json"), "utf8"));
  return [
    `domb ${version}`,
    `boot domain (wasm) ${builtDigest(paths.bootDomainWasm)}`,
    `boot domain (x86-64) ${builtDigest(paths.bootDomain())}`,
    `boot domain (arm64) ${builtDigest(paths.bootDomain("4.17", "arm64"))}`,
    `Xen ${XEN_VERSION} with domb's patches (x86-64) ${builtDigest(paths.xen())}`,
    `the same for EFI firmware ${builtDigest(paths.xenEfi())}`,
    `the same for arm64, EFI firmware too ${builtDigest(paths.xen("4.17", "arm64"))}`,
    `FLASK policy ${builtDigest(paths.xenPolicy())}`,
  ].join("\n");
}
