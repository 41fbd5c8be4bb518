// SPDX-License-Identifier: Apache-2.0
// What is in the cache is whole, whatever interrupted its making.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cached, contentKey, placeLink, removeLeftovers } from "./cache.js";
import { fail, INTERRUPTED, succeed } from "./outcome.js";

let cache = "";
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "domb-cache-"));
});
afterEach(() => rm(cache, { recursive: true }));

const signal = new AbortController().signal;

test("a folder is made once and found afterwards", async () => {
  let made = 0;
  const fill = async (folder: string) => {
    made += 1;
    await writeFile(join(folder, "file"), "content");
    return succeed(undefined);
  };
  const first = await cached({ cache, signal }, "kind/key", fill);
  const second = await cached({ cache, signal }, "kind/key", fill);
  expect(first).toEqual({ ok: true, value: join(cache, "kind", "key") });
  expect(second).toEqual(first);
  expect(made).toBe(1);
  expect(await readFile(join(cache, "kind", "key", "file"), "utf8")).toBe("content");
});

test("a failure leaves neither the folder nor a temporary one", async () => {
  const failure = fail({ exitCode: 3, what: "no" });
  const outcome = await cached({ cache, signal }, "kind/key", async (folder) => {
    await writeFile(join(folder, "file"), "half");
    return failure;
  });
  expect(outcome).toEqual(failure);
  expect(existsSync(join(cache, "kind"))).toBe(false);
  expect(await readdir(join(cache, "temporary"))).toEqual([]);
});

test("an interruption in the last moment leaves nothing either", async () => {
  const interruption = new AbortController();
  const outcome = await cached({ cache, signal: interruption.signal }, "key", async () => {
    interruption.abort();
    return succeed(undefined);
  });
  expect(outcome).toEqual(INTERRUPTED);
  expect(existsSync(join(cache, "key"))).toBe(false);
});

test("what a killed set-up left is removed", async () => {
  await mkdir(join(cache, "temporary", "key-abc", "deep"), { recursive: true });
  await removeLeftovers(cache);
  expect(await readdir(cache)).toEqual([]);
});

test("a link replaces a file, a folder's link and itself", async () => {
  const link = join(cache, "place", "link");
  await mkdir(join(cache, "place"));
  await writeFile(link, "a file");
  for (const target of ["one", "two", "two"]) {
    await placeLink(target, link);
    expect(await readlink(link)).toBe(target);
  }
  expect(await readdir(join(cache, "place"))).toEqual(["link"]);
});

test("inputs that differ in content, order or borders have different keys", () => {
  const inputs = fc.array(fc.string());
  fc.assert(
    fc.property(inputs, inputs, (one, other) => {
      const equal = JSON.stringify(one) === JSON.stringify(other);
      expect(contentKey(one) === contentKey(other)).toBe(equal);
    }),
  );
  expect(contentKey(["ab", "c"])).not.toBe(contentKey(["a", "bc"]));
});
