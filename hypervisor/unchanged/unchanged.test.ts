// SPDX-License-Identifier: Apache-2.0
// With the series, but without CONFIG_BOOT_DOMAIN, every object of Xen is what it is without the
// series, but for the differences of the table.

import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { paths } from "../../setup/paths.js";
import { differences } from "./differences.js";
import { contentOf, differingNames } from "./object-content.js";

const builds = [paths.unpatchedXen, paths.switchedOffXen] as const;

beforeAll(() => {
  const missing = builds.find((build) => !existsSync(build));
  if (missing !== undefined) throw new Error(`${missing} is lacking: npm test builds it`);
});

async function objectsOf(build: string): Promise<readonly string[]> {
  const entries = await readdir(join(build, "objects"), { recursive: true });
  return entries.filter((name) => name.endsWith(".o")).sort();
}

/** What differs, as "object: name", and what is in none of the objects. */
async function foundDifferences(objects: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const object of objects) {
    const [before, after] = await Promise.all(
      builds.map((build) => contentOf(join(build, "objects", object))),
    );
    if (before === undefined || after === undefined) continue;
    found.push(...differingNames(before, after).map((name) => `${object}: ${name}`));
  }
  return found;
}

describe("Xen with the series and without CONFIG_BOOT_DOMAIN", () => {
  let found: readonly string[];
  const explained = differences.flatMap(({ object, names }) =>
    names.map((name) => `${object}: ${name}`),
  );

  beforeAll(async () => {
    found = await foundDifferences(await objectsOf(builds[0]));
  });

  it("is configured as without the series, but for the options that the series adds", async () => {
    const [before, after] = await Promise.all(
      builds.map((build) => readFile(join(build, "xen.config"), "utf8")),
    );
    const options = /^(# CONFIG_BOOT_DOMAIN is not set|CONFIG_DOM0=y)\n/gm;
    expect(after?.match(options)).toHaveLength(2);
    expect(after?.replace(options, "")).toBe(before);
  });

  it("consists of the same objects", async () => {
    const objects = await objectsOf(builds[0]);
    expect(objects).toContain("common/domain.o");
    expect(await objectsOf(builds[1])).toEqual(objects);
  });

  it("has no difference that the table does not explain", () => {
    expect(found.filter((one) => !explained.includes(one))).toEqual([]);
  });

  it("has every difference of the table, once", () => {
    expect(explained.filter((one) => !found.includes(one))).toEqual([]);
    expect(new Set(explained).size).toBe(explained.length);
  });
});

describe("the comparison", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "domb-objects-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  // What Xen's own code is compiled with, in so far as it shapes the object.
  const compilerOptions = ["-g", "-O2", "-fPIE", "-fno-asynchronous-unwind-tables"];
  const source = `
    extern void say(const char *text, int line);
    static const char *const names[] = { "one", "two" };
    static int counter;
    const char *name(int index) { return names[index & 1]; }
    int count(int by) { counter += by; if (counter < 0) say("negative", __LINE__); return counter; }
  `;

  async function compiled(name: string, text: string): ReturnType<typeof contentOf> {
    const [c, object] = [join(folder, `${name}.c`), join(folder, `${name}.o`)];
    await writeFile(c, text);
    await execa("gcc", [...compilerOptions, "-c", c, "-o", object]);
    return contentOf(object);
  }

  it("does not see that source has moved, or what is before it", async () => {
    const moved = `\n\nstatic const char other[] = "other";
      const char *before(int index) { return &other[index & 1]; }${source}`;
    const names = differingNames(await compiled("one", source), await compiled("other", moved));
    expect(names).toEqual([".rodata", "before"]);
  });

  it.each([
    ["an instruction", "by;", "by + 1;", ["count"]],
    ["a string in code", "negative", "positive", ["count"]],
    ["a callee", "say(", "tell(", ["count"]],
    ["a string in data", '"two"', '"too"', [".data.rel.ro.local"]],
  ])("sees %s that has changed", async (_, from, to, names) => {
    const other = await compiled("changed", source.replaceAll(from, to));
    expect(differingNames(await compiled("one", source), other)).toEqual(names);
  });
});
