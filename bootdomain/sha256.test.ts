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
const digestAddress = 0x92a00;
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

function digest(message: Uint8Array): string {
  const memory = new Uint8Array(sha256.memory.buffer);
  memory.fill(0xa5, messageAddress, messageAddress + message.length + 128);
  memory.set(message, messageAddress);
  const blocks = Math.floor(message.length / 64);
  sha256.sha256Begin();
  sha256.sha256Blocks(messageAddress, blocks);
  sha256.sha256End(messageAddress + blocks * 64, message.length % 64, message.length);
  return Buffer.from(memory.slice(digestAddress, digestAddress + 32)).toString("hex");
}

const reference = (message: Uint8Array): string =>
  createHash("sha256").update(message).digest("hex");

describe("SHA-256 of the boot domain", () => {
  it("digests the one-block message of FIPS 180-4's examples", () => {
    expect(digest(Buffer.from("abc"))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  it("digests the two-block message of FIPS 180-4's examples", () => {
    expect(digest(Buffer.from("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))).toBe(
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    );
  });

  it("digests messages of every length up to three blocks as Node does", () => {
    for (let length = 0; length <= 192; length++) {
      const message = Uint8Array.from({ length }, (_, index) => (index * 37 + length) % 256);
      expect(digest(message)).toBe(reference(message));
    }
  });

  it("digests any bytes as Node does", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), (message) => {
        expect(digest(message)).toBe(reference(message));
      }),
    );
  });
});
