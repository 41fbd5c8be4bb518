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
import { architectureNames } from "../../xen-model/machines.js";
import { differences } from "./differences.js";
import { contentOf, differingNames } from "./object-content.js";

/** Each architecture as titles name it, with its Xen without the series, and with it switched off. */
const everyArchitecture = [
  [architectureNames.x86_64, "x86_64", [paths.unpatchedXen, paths.switchedOffXen]],
  [architectureNames.arm64, "arm64", [paths.arm64UnpatchedXen, paths.arm64SwitchedOffXen]],
] as const;

beforeAll(() => {
  const builds = everyArchitecture.flatMap(([, , both]) => both);
  const missing = builds.find((build) => !existsSync(build));
  if (missing !== undefined) throw new Error(`${missing} is lacking: npm test builds it`);
});

async function objectsOf(build: string): Promise<readonly string[]> {
  const entries = await readdir(join(build, "objects"), { recursive: true });
  return entries.filter((name) => name.endsWith(".o")).sort();
}

/** What differs, as "object: name", and what is in none of the objects. */
async function foundDifferences(builds: readonly [string, string]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const object of await objectsOf(builds[0])) {
    const [before, after] = await Promise.all(
      builds.map((build) => contentOf(join(build, "objects", object))),
    );
    if (before === undefined || after === undefined) continue;
    found.push(...differingNames(before, after).map((name) => `${object}: ${name}`));
  }
  return found;
}

describe.each(everyArchitecture)(
  "Xen with the series and without CONFIG_BOOT_DOMAIN on %s",
  (_, architecture, builds) => {
    let found: readonly string[];
    const explained = differences[architecture].flatMap(({ object, names }) =>
      names.map((name) => `${object}: ${name}`),
    );

    beforeAll(async () => {
      found = await foundDifferences(builds);
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
  },
);

// What Xen's own code is compiled with, in so far as it shapes the object.
const commonOptions = ["-g", "-O2", "-fno-asynchronous-unwind-tables"];
const compilers = {
  x86_64: ["gcc", "-fPIE"],
  arm64: ["aarch64-linux-gnu-gcc", "-fno-pie", "-mgeneral-regs-only"],
} as const;
/** Where the compiler lays constants that are pointers. */
const pointerSections = { x86_64: ".data.rel.ro.local", arm64: ".rodata" } as const;

describe.each(everyArchitecture)("the comparison on %s", (_, architecture) => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "domb-objects-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const source = `
    extern void say(const char *text, int line);
    static const char *const names[] = { "one", "two" };
    static int counter;
    const char *name(int index) { return names[index & 1]; }
    int count(int by) { counter += by; if (counter < 0) say("negative", __LINE__); return counter; }
    __attribute__((aligned(16))) long wide(void) {
      long word;
      asm(${architecture === "arm64" ? '"ldr %0, =names"' : '"movabs $names, %0"'} : "=r" (word));
      return word;
    }
  `;

  async function compiled(name: string, text: string): ReturnType<typeof contentOf> {
    const [c, object] = [join(folder, `${name}.c`), join(folder, `${name}.o`)];
    await writeFile(c, text);
    const [compiler, ...options] = compilers[architecture];
    await execa(compiler, [...commonOptions, ...options, "-c", c, "-o", object]);
    return contentOf(object);
  }

  it("does not see that source has moved, or what is before it", async () => {
    // In a section of its own: arm64's compiler counts constants from the first in their section.
    const moved = `\n\nstatic const char other[] __attribute__((section(".init.rodata"))) = "other";
      const char *before(int index) { return index ? other : "before"; }${source}`;
    const names = differingNames(await compiled("one", source), await compiled("other", moved));
    expect(names).toEqual([".init.rodata", "before"]);
  });

  it.each([
    ["an instruction", "by;", "by + 1;", ["count"]],
    ["a string in code", "negative", "positive", ["count"]],
    ["a callee", "say(", "tell(", ["count"]],
    ["a pointer in code", /([=$])names/g, "$1counter", ["wide"]],
    ["a string in data", '"two"', '"too"', [pointerSections[architecture]]],
  ])("sees %s that has changed", async (_, from, to, names) => {
    const other = await compiled("changed", source.replaceAll(from, to));
    expect(differingNames(await compiled("one", source), other)).toEqual(names);
  });
});
