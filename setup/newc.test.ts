// SPDX-License-Identifier: Apache-2.0
// The ramdisk's archive, held against an independent reader: busybox' cpio.

import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { newcArchive } from "./newc.js";

test("busybox reads back every byte of files of any length, and links", async () => {
  const contents = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(contents, async (files) => {
      const archive = newcArchive([
        { path: "d", kind: "folder" },
        ...files.map((content, index) => {
          return { path: `d/${index}`, kind: "file", mode: 0o644, content } as const;
        }),
        { path: "link", kind: "link", target: "d" },
      ]);
      const folder = await mkdtemp(join(tmpdir(), "domb-newc-"));
      try {
        execFileSync("busybox", ["cpio", "-i"], { cwd: folder, input: archive, stdio: "pipe" });
        for (const [index, content] of files.entries()) {
          expect(new Uint8Array(await readFile(join(folder, "d", `${index}`)))).toEqual(content);
        }
        expect(await readlink(join(folder, "link"))).toBe("d");
      } finally {
        await rm(folder, { recursive: true });
      }
    }),
    { numRuns: 20 },
  );
});

test("a device node carries its numbers, and everything belongs to root at time 0", () => {
  const archive = newcArchive([
    { path: "console", kind: "character-device", major: 5, minor: 1 },
    { path: "init", kind: "file", mode: 0o755, content: Buffer.from("x") },
  ]);
  const text = execFileSync("busybox", ["cpio", "-itv"], {
    input: archive,
    stdio: "pipe",
    env: { ...process.env, TZ: "UTC" },
  }).toString();
  expect(text).toMatch(/^crw------- 0\/0 .*1970-01-01 00:00:00 console$/m);
  expect(text).toMatch(/^-rwxr-xr-x 0\/0 +1 1970-01-01 00:00:00 init$/m);
  expect(archive.includes("00000005" + "00000001" + "00000008")).toBe(true);
});
