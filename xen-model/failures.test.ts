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

/** The file that a patch of the series makes anew. */
const NEW_FILE = "xen/common/boot_domain.c";

let folder: string;
const sources = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-xen-"));
  const upstream = XEN_VERSION.replace(/-1$/, "");
  const archive = join(cacheFolder(), "xen-source", XEN_VERSION, `xen_${upstream}.orig.tar.xz`);
  const files = [...new Set(failures.map(({ file }) => file))].filter((file) => file !== NEW_FILE);
  const root = `xen-${upstream}`;
  await execa("tar", ["-xf", archive, "-C", folder, ...files.map((file) => `${root}/${file}`)]);
  for (const file of files) sources.set(file, await readFile(join(folder, root, file), "utf8"));
  sources.set(NEW_FILE, await bootDomainSource());
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The new file as the series leaves it: it is patched once more after the patch that adds it. */
async function bootDomainSource(): Promise<string> {
  const series = (await readFile(join(paths.patches, "series"), "utf8")).trim().split("\n");
  const texts = await Promise.all(
    series.map((name) => readFile(join(paths.patches, name), "utf8")),
  );
  const added = texts.flatMap((text) =>
    text
      .split(/^(?=diff --git )/m)
      .filter((part) => part.includes(` b/${NEW_FILE}`))
      .flatMap((part) => part.split("\n").filter((line) => /^[+ ]/.test(line))),
  );
  return added.map((line) => line.slice(1)).join("\n");
}

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
