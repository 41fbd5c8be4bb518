// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) as the boot domain computes it, compiled from its own source.

import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { execa } from "execa";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { paths } from "../setup/paths.js";
import { ascOptions } from "./build.js";

interface Sha256Module {
  readonly memory: WebAssembly.Memory;
  sha256Begin(): void;
  sha256Blocks(data: number, blocks: number): void;
  sha256End(data: number, rest: number, bytes: number): void;
}

/** DIGEST in assembly/memory.ts, and a place for messages that nothing else uses. */
const digestAddress = 0x9ba00;
const messageAddress = 0x10000;

let directory: string;
let sha256: Sha256Module;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "domb-sha256-"));
  const wasm = join(directory, "sha256.wasm");
  const source = join("bootdomain", "assembly", "sha256.ts");
  const options = [source, ...ascOptions, "-o", relative(paths.checkout, wasm)];
  await execa("asc", options, { cwd: paths.checkout, preferLocal: true });
  const { instance } = await WebAssembly.instantiate(await readFile(wasm));
  sha256 = instance.exports as unknown as Sha256Module;
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

/** Digests a message that is taken in as so many whole blocks a time; the last number repeats. */
function digest(message: Uint8Array, pieces: readonly number[] = [4096]): string {
  const memory = new Uint8Array(sha256.memory.buffer);
  const place = (bytes: Uint8Array): void => {
    memory.fill(0xa5, messageAddress, messageAddress + bytes.length + 128);
    memory.set(bytes, messageAddress);
  };
  let left = Math.floor(message.length / 64);
  sha256.sha256Begin();
  for (let piece = 0; left > 0; piece++) {
    const blocks = Math.min(left, pieces[piece] ?? pieces.at(-1) ?? 1);
    const start = message.length - (message.length % 64) - left * 64;
    place(message.subarray(start, start + blocks * 64));
    sha256.sha256Blocks(messageAddress, blocks);
    left -= blocks;
  }
  place(message.subarray(message.length - (message.length % 64)));
  sha256.sha256End(messageAddress, message.length % 64, message.length);
  return Buffer.from(memory.slice(digestAddress, digestAddress + 32)).toString("hex");
}

const reference = (message: Uint8Array): string =>
  createHash("sha256").update(message).digest("hex");

describe("SHA-256 of the boot domain", () => {
  it.each([
    ["no bytes", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["one block", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "two blocks",
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ],
    [
      "two blocks, the last half full",
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
    ],
    [
      "a million bytes",
      "a".repeat(1_000_000),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    ],
  ])("digests NIST's example of %s", (_, message, wanted) => {
    expect(digest(Buffer.from(message))).toBe(wanted);
  });

  it("digests messages of every length up to three blocks as Node does", () => {
    for (let length = 0; length <= 192; length++) {
      const message = Uint8Array.from({ length }, (_, index) => (index * 37 + length) % 256);
      expect(digest(message)).toBe(reference(message));
    }
  });

  it("digests any bytes, taken in at once or in pieces, as Node does", () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 32 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), pieces, (message, blocks) => {
        expect(digest(message)).toBe(reference(message));
        expect(digest(message, blocks)).toBe(reference(message));
      }),
    );
  });

  it("takes in no blocks without a change", () => {
    sha256.sha256Begin();
    const state = sha256.memory.buffer.slice(digestAddress, digestAddress + 32);
    sha256.sha256Blocks(messageAddress, 0);
    expect(sha256.memory.buffer.slice(digestAddress, digestAddress + 32)).toEqual(state);
  });
});
