// SPDX-License-Identifier: Apache-2.0
// What software some bytes are, by the version that they themselves tell. What tells none is
// unknown, and is said to be.

/** A known piece of software. */
export interface Software {
  readonly name: string;
  readonly version: string;
  /** SPDX identifier; undefined: not known. */
  readonly licence?: string | undefined;
}

interface Sign {
  readonly name: string;
  readonly licence: string;
  /** Its first group is the version. */
  readonly pattern: RegExp;
}

/** What programs say of themselves, for `--version` or at their start. */
const signs: readonly Sign[] = [
  { name: "linux", licence: "GPL-2.0-only", pattern: /Linux version (\S+) \(/ },
  {
    name: "busybox",
    licence: "GPL-2.0-only",
    pattern: /BusyBox v(\d[\w.]*(?: \([^()]{1,60}\))?)/,
  },
];

/** What these bytes are, as far as they tell. */
export function softwareIn(bytes: Uint8Array): Software | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  for (const { name, licence, pattern } of signs) {
    const version = pattern.exec(text)?.[1];
    if (version !== undefined) return { name, version, licence };
  }
  return undefined;
}

/** The packages that a Debian system in a ramdisk has installed (deb-control, dpkg's status file). */
export function debianPackages(status: string): readonly Software[] {
  return status
    .split(/\n\n+/)
    .flatMap((paragraph) => {
      const field = (name: string) => new RegExp(`^${name}: (.+)$`, "m").exec(paragraph)?.[1];
      const [name, version] = [field("Package"), field("Version")];
      const installed = field("Status") === "install ok installed";
      return installed && name !== undefined && version !== undefined ? [{ name, version }] : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
