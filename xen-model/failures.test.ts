// SPDX-License-Identifier: Apache-2.0
// The table of failures says what Xen's source says: each function is in its file, and its body
// names the errno.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cacheFolder, paths } from "../setup/paths.js";
import { XEN_VERSION } from "../setup/xen-source.js";
import { failures } from "./failures.js";

let folder: string;
const sources = new Map<string, string>();

/** Xen as it is built: its source with the series. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-xen-"));
  const upstream = XEN_VERSION.replace(/-1$/, "");
  const archive = join(cacheFolder(), "xen-source", XEN_VERSION, `xen_${upstream}.orig.tar.xz`);
  await execa("tar", ["-xf", archive, "-C", folder, "--strip-components=1"]);
  const series = (await readFile(join(paths.patches, "series"), "utf8")).trim().split("\n");
  for (const name of series) {
    const options = ["--strip=1", "--silent", "--input", join(paths.patches, name)];
    await execa("patch", options, { cwd: folder });
  }
  for (const file of new Set(failures.map((failure) => failure.file))) {
    sources.set(file, await readFile(join(folder, file), "utf8"));
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The definitions of a function in C with the bracket that ends it at the line's start. */
function bodiesOf(name: string, source: string): readonly string[] {
  const definition = new RegExp(`^(?:[\\w* ]+\\b)?${name}\\([^;{]*\\)\\s*\\{[\\s\\S]*?^\\}`, "gm");
  return source.match(definition) ?? [];
}

describe("the table of failures", () => {
  it.each(failures)(
    "$hypercall $answer: $function in $file",
    ({ answer, function: name, file }) => {
      const bodies = bodiesOf(name, sources.get(file) ?? "");
      expect(bodies.length, `${name} in ${file}`).toBeGreaterThan(0);
      if (answer !== "fewer") expect(bodies.join("\n")).toContain(`-${answer}`);
    },
  );

  it("has no row twice", () => {
    const rows = failures.map((failure) => JSON.stringify(failure));
    expect(new Set(rows).size).toBe(rows.length);
  });
});
