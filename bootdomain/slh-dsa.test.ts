// SPDX-License-Identifier: Apache-2.0
// SLH-DSA-SHA2-128s (FIPS 205) as the boot domain verifies it, compiled from its own source: against
// signatures of others, and against noble's for messages of any length.

import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { slh_dsa_sha2_128s } from "@noble/post-quantum/slh-dsa.js";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "../contract/trust.js";
import { paths } from "../setup/paths.js";
import { ascOptions } from "./build.js";

interface SlhDsaModule {
  readonly memory: WebAssembly.Memory;
  signatureIsOf(publicKey: number, message: number, bytes: number): number;
}

/** SIGNATURE and TRUST of assembly/memory.ts, and a place for messages that nothing else uses. */
const signatureAddress = 0x9c000;
const keyAddress = 0x9bb04;
const messageAddress = 0x10100;

let directory: string;
let slhDsa: SlhDsaModule;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "domb-slh-dsa-"));
  const wasm = join(directory, "slh-dsa.wasm");
  const source = join("bootdomain", "assembly", "slh-dsa.ts");
  const options = [source, ...ascOptions, "-o", relative(paths.checkout, wasm)];
  await execa("asc", options, { cwd: paths.checkout, preferLocal: true });
  const { instance } = await WebAssembly.instantiate(await readFile(wasm));
  slhDsa = instance.exports as unknown as SlhDsaModule;
});

afterAll(() => rm(directory, { recursive: true }));

interface Signed {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Whether it is accepted, as FIPS 205, algorithm 24, with an empty context. */
function accepted({ publicKey, message, signature }: Signed): boolean {
  const memory = new Uint8Array(slhDsa.memory.buffer);
  memory.fill(0xa5, messageAddress - 48, messageAddress + 2 + message.length + 128);
  memory.set(signature, signatureAddress);
  memory.set(publicKey, keyAddress);
  memory.set([0, 0, ...message], messageAddress);
  return slhDsa.signatureIsOf(keyAddress, messageAddress, 2 + message.length) !== 0;
}

async function acvp(): Promise<Signed> {
  const path = join(import.meta.dirname, "vectors", "acvp-sig-gen-162.json");
  const { publicKey, message, signature } = JSON.parse(await readFile(path, "utf8"));
  return {
    publicKey: Buffer.from(publicKey, "hex"),
    message: Buffer.from(message, "base64"),
    signature: Buffer.from(signature, "base64"),
  };
}

/** The parts of a DER sequence, each with its header. */
function partsOf(der: Buffer): readonly Buffer[] {
  const bodyAt = (at: number): { readonly start: number; readonly end: number } => {
    const first = der.readUInt8(at + 1);
    const longer = first < 0x80 ? 0 : first & 0x7f;
    const bytes = longer === 0 ? first : der.readUIntBE(at + 2, longer);
    return { start: at + 2 + longer, end: at + 2 + longer + bytes };
  };
  const { start, end } = bodyAt(0);
  const parts: Buffer[] = [];
  for (let at = start; at < end; at = bodyAt(at).end) parts.push(der.subarray(at, bodyAt(at).end));
  return parts;
}

async function rfc9909(): Promise<Signed> {
  const path = join(import.meta.dirname, "vectors", "rfc9909-certificate.pem");
  const { raw } = new X509Certificate(await readFile(path));
  const [message = Buffer.alloc(0), , signature = Buffer.alloc(0)] = partsOf(raw);
  const info = message.indexOf(Buffer.from("0b0609608648016503040314032100", "hex"));
  const publicKey = message.subarray(info + 15, info + 15 + PUBLIC_KEY_BYTES);
  return { publicKey, message, signature: signature.subarray(-SIGNATURE_BYTES) };
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 0x40 : byte));
}

describe("SLH-DSA of the boot domain", () => {
  it.each([
    ["NIST's ACVP", acvp],
    ["RFC 9909", rfc9909],
  ])("accepts the signature of %s, and none with a byte changed", async (_, read) => {
    const signed = await read();
    const { publicKey, message, signature } = signed;
    expect(signature).toHaveLength(SIGNATURE_BYTES);
    expect(accepted(signed)).toBe(true);
    // Each node of the signature has 16 bytes; each is changed in another of them.
    for (let node = 0; node < SIGNATURE_BYTES / 16; node++) {
      const changed = { ...signed, signature: flipped(signature, node * 16 + (node % 16)) };
      expect(accepted(changed), `node ${node}`).toBe(false);
    }
    for (let byte = 0; byte < PUBLIC_KEY_BYTES; byte++) {
      expect(accepted({ ...signed, publicKey: flipped(publicKey, byte) })).toBe(false);
    }
    for (const byte of [0, message.length >> 1, message.length - 1]) {
      expect(accepted({ ...signed, message: flipped(message, byte) })).toBe(false);
    }
    expect(accepted({ ...signed, message: message.subarray(1) })).toBe(false);
    expect(accepted(signed)).toBe(true);
  });

  it("says of random signatures what noble says: no", async () => {
    const { publicKey, message } = await acvp();
    for (const fill of [0, 0xff]) {
      const signature = new Uint8Array(SIGNATURE_BYTES).fill(fill);
      expect(slh_dsa_sha2_128s.verify(signature, message, publicKey)).toBe(false);
      expect(accepted({ publicKey, message, signature })).toBe(false);
    }
  });

  it.each([0, 5, 6, 13, 14, 400])("accepts what noble signs: %i bytes", (bytes) => {
    const seed = new Uint8Array(48).fill(bytes);
    const { publicKey, secretKey } = slh_dsa_sha2_128s.keygen(seed);
    const message = new Uint8Array(bytes).fill(bytes);
    const signature = slh_dsa_sha2_128s.sign(message, secretKey, { extraEntropy: false });
    expect(accepted({ publicKey, message, signature })).toBe(true);
  });
});
