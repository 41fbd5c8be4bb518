// SPDX-License-Identifier: Apache-2.0
// The examples: each compiles, and is the same launch on each architecture that it is for.

import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { paths } from "../setup/paths.js";
import { compiledExample, compiledFile, everyArchitecture, exampleFile } from "./lab-bench.js";

const folders = readdirSync(join(paths.checkout, "examples")).sort();
/** Those with a description for each architecture. */
const both = folders.filter((name) => existsSync(exampleFile(name, "arm64")));

/** What differs between the two, and how: kernels, ramdisks, and the console that Linux writes to. */
const differences = [
  ["build/materials/vmlinuz", "build/materials/arm64/Image"],
  ["build/materials/busybox.cpio.gz", "build/materials/arm64/busybox.cpio.gz"],
  ["build/materials/links.cpio.gz", "build/materials/arm64/links.cpio.gz"],
  ["build/materials/ordered.cpio.gz", "build/materials/arm64/ordered.cpio.gz"],
  ["build/materials/recovery.cpio.gz", "build/materials/arm64/recovery.cpio.gz"],
  ["build/guests/", "build/guests/arm64/"],
  ["earlyprintk=xen,keep", "console=ttyAMA0"],
] as const;

describe("an example for both architectures", () => {
  it.each(both)(
    "[RFC-ALIKE] is the same launch on arm64, but for its kernels: %s",
    async (name) => {
      const [own, other] = await Promise.all(
        [exampleFile(name), exampleFile(name, "arm64")].map((file) => readFile(file, "utf8")),
      );
      const expected = differences.reduce(
        (text, [from, to]) => text.replaceAll(from, to),
        own ?? "",
      );
      expect(parse(other ?? "")).toEqual(parse(expected));
    },
  );
});

describe.each(everyArchitecture)("the examples on %s", (_, architecture) => {
  it.each(both)("are compiled: %s", async (name) => {
    expect((await compiledExample(name, architecture)).architecture).toBe(architecture);
  });
});

describe("the examples for one architecture alone", () => {
  it("are compiled as well", async () => {
    const files = folders
      .filter((name) => !both.includes(name))
      .flatMap((name) => ["launch.yaml", "launch.ts"].map((file) => join(name, file)))
      .map((file) => join(paths.checkout, "examples", file))
      .filter(existsSync);
    const launches = await Promise.all(files.map((file) => compiledFile(file)));
    expect(launches.map(({ architecture }) => architecture)).toEqual(["x86_64", "x86_64"]);
  });
});
