// SPDX-License-Identifier: Apache-2.0

import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GUEST_RAM0_BASE } from "../../contract/xen-abi-arm64.js";
import { readKernel } from "./kernel.js";

interface Header {
  readonly textOffset?: bigint;
  readonly imageSize?: bigint;
  readonly flags?: bigint;
}

function imageOf({
  textOffset = 0x80000n,
  imageSize = 0x3000n,
  flags = 0xan,
}: Header = {}): Buffer {
  const bytes = Buffer.alloc(0x1800, 0x5a);
  bytes.writeBigUInt64LE(textOffset, 8);
  bytes.writeBigUInt64LE(imageSize, 16);
  bytes.writeBigUInt64LE(flags, 24);
  bytes.write("ARM\x64", 56, "latin1");
  return bytes;
}

const read = (bytes: Uint8Array) => readKernel({ path: "/Image", bytes, place: { line: 3 } });

describe("an arm64 Image", () => {
  it("lies at the start of memory as its header asks, and is entered at its first byte", async () => {
    const kernel = await read(imageOf());
    const address = GUEST_RAM0_BASE + 0x80000;
    expect(kernel.ok && kernel.value).toMatchObject({
      architecture: "arm64",
      entry: address,
      segments: [{ address, memoryBytes: 0x3000 }],
    });
  });

  it("may be packed with gzip", async () => {
    const [plain, packed] = [await read(imageOf()), await read(gzipSync(imageOf()))];
    expect(plain.ok && packed.ok && packed.value.segments[0]?.address).toBe(
      plain.ok && plain.value.segments[0]?.address,
    );
  });

  it.each<[string, Header]>([
    ["text_offset", { textOffset: 0x200000n }],
    ["image_size", { imageSize: 0n }],
    ["image_size", { imageSize: 0xffff_ffff_ffff_ffffn }],
    ["flags", { flags: 0xbn }],
  ])("is refused with the field %s named when it is wild", async (field, header) => {
    const kernel = await read(imageOf(header));
    expect(kernel.ok).toBe(false);
    expect(kernel.diagnostics[0]).toMatchObject({ code: "DOMB3011", place: { line: 3 } });
    expect(kernel.diagnostics[0]?.message).toContain(field);
  });

  it("never surprises, whatever its bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (header) => {
        const bytes = imageOf();
        bytes.set(header.subarray(0, 56));
        const kernel = await read(bytes);
        return kernel.ok || kernel.diagnostics.length > 0;
      }),
    );
  });
});
