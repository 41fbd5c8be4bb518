// SPDX-License-Identifier: Apache-2.0
// Image ⇄ parts, and what is said of damaged images.

import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HEADERS_END, ImageHeader } from "../../contract/image.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import { placeMaterials } from "../plan/materials.js";
import { noPolicy, noReserve, type Plan, unguarded } from "../plan/plan.js";
import { decodeImage } from "./decode-image.js";
import { encodeImage } from "./encode-image.js";
import { writeImage } from "./write-image.js";
import { defaultXen, xenOf, xenVersions } from "./xen-versions.js";

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A plan that verifies these materials for one domain. */
function planFor(materials: readonly Uint8Array[]): Plan {
  return {
    dropped: 0,
    ...noPolicy,
    ...noReserve,
    guards: [],
    domains: [
      {
        name: "web",
        domid: 1,
        createFlags: 3,
        devices: 1,
        sharedInterrupts: 0,
        vcpus: 1,
        memoryPages: 256,
        pagingPoolPages: 256,
        maxEventChannelPort: 127,
        maxGrantFrames: 4,
        maxMaptrackFrames: 0,
        label: "",
        cpuPool: 0,
        readiness: "started",
        readyWithin: 0,
        onFailure: "abort",
      },
    ],
    materials: placeMaterials(
      materials.map((bytes) => ({ kind: "ramdisk", bytes, digest: sha256(bytes) })),
      HEADERS_END + PAGE_SIZE,
    ),
    steps: [
      {
        domain: 0,
        firstOperation: 0,
        operationCount: materials.length,
        afterStep: 0,
        ...unguarded,
      },
    ],
    operations: materials.map((_, material) => ({ kind: "verify", material })),
  };
}

const materials = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9000 }), {
  minLength: 1,
  maxLength: 5,
});
/** Where materials begin behind a small plan. */
const MATERIALS = HEADERS_END + PAGE_SIZE;
const sample = [Buffer.from("a ramdisk"), Buffer.alloc(5000, 7)];
const image = encodeImage(planFor(sample), sample);

function codesOf(bytes: Uint8Array): readonly string[] {
  return decodeImage(bytes).diagnostics.map(({ code }) => code);
}

describe("an image", () => {
  it("comes apart into the parts that it was made of", () => {
    fc.assert(
      fc.property(materials, (parts) => {
        const plan = planFor(parts);
        const decoded = decodeImage(encodeImage(plan, parts));
        if (!decoded.ok) return false;
        expect(decoded.value.plan).toEqual(plan);
        return parts.every((part, index) =>
          Buffer.from(part).equals(decoded.value.materials[index] ?? Buffer.alloc(0)),
        );
      }),
    );
  });

  it("is the same, byte for byte, when its parts are", () => {
    expect(Buffer.from(image).equals(encodeImage(planFor(sample), sample))).toBe(true);
  });

  it("has each material at a page's start, and zeros between", () => {
    const offsets = planFor(sample).materials.map(({ offset }) => offset);
    expect(offsets).toEqual([MATERIALS, MATERIALS + PAGE_SIZE]);
    expect(image.length).toBe(MATERIALS + 3 * PAGE_SIZE);
    expect(image.subarray(MATERIALS + PAGE_SIZE + 5000).every((byte) => byte === 0)).toBe(true);
  });

  it("is told wherever it is cut short", () => {
    for (const length of [0, 1, HEADERS_END - 1]) {
      expect(codesOf(image.subarray(0, length))).toEqual(["DOMB5001"]);
    }
    for (let length = HEADERS_END; length < image.length; length += 97) {
      expect(codesOf(image.subarray(0, length))).toEqual(["DOMB5001"]);
    }
  });

  it("is told when any bit of header, plan or a material is flipped", () => {
    const planBytes = 16 + 72 + 2 * 48 + 16 + 2 * 24;
    // What the header says of version and verification only a signature vouches for.
    const vouched = [ImageHeader.launchVersion, ImageHeader.verify].flatMap((field) =>
      [0, 1, 2, 3].map((byte) => field + byte),
    );
    const meaningful = [
      ...Array.from({ length: ImageHeader.size }, (_, at) => at).filter(
        (at) => !vouched.includes(at),
      ),
      ...Array.from({ length: planBytes }, (_, at) => HEADERS_END + at),
      ...Array.from({ length: 3 * PAGE_SIZE }, (_, at) => MATERIALS + at),
    ];
    const bit = fc.record({ at: fc.constantFrom(...meaningful), mask: fc.nat({ max: 7 }) });
    fc.assert(
      fc.property(bit, ({ at, mask }) => {
        const damaged = Buffer.from(image);
        damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << mask), at);
        return !decodeImage(damaged).ok;
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["magic", 0, "DOMB5002"],
    ["version", 4, "DOMB5002"],
    ["machine", 8, "DOMB5002"],
    ["xenInterface", 12, "DOMB5002"],
    ["verify", 20, "DOMB5002"],
  ])("names the header's field %s when it is wrong", (field, offset, code) => {
    const damaged = Buffer.from(image);
    damaged.writeUInt32LE(0x99, offset);
    const { diagnostics } = decodeImage(damaged, { file: "launch.img" });
    expect(diagnostics.map((diagnostic) => diagnostic.code)).toEqual([code]);
    expect(diagnostics[0]?.message).toMatch(new RegExp(`${field} of the header is (0x99|153)`));
    expect(diagnostics[0]?.place).toEqual({ file: "launch.img" });
  });

  it.each(xenVersions)("names Xen %s, and differs in nothing else, when it is for that", (xen) => {
    const other = encodeImage(planFor(sample), sample, { xen });
    const decoded = decodeImage(other);
    expect(decoded.ok && xenOf(decoded.value.header.xenInterface)).toBe(xen);
    const differing = [...other].flatMap((byte, at) => (byte === image[at] ? [] : [at]));
    expect(differing).toEqual(xen === defaultXen ? [] : [ImageHeader.xenInterface]);
  });

  it("tells damage to the plan from damage to a material", () => {
    const plan = Buffer.from(image);
    plan.writeUInt8(0xaa, HEADERS_END + 20);
    expect(codesOf(plan)).toEqual(["DOMB5003"]);
    const material = Buffer.from(image);
    material.writeUInt8(0xaa, MATERIALS);
    expect(codesOf(material)).toEqual(["DOMB5005"]);
  });

  it("is refused when its plan, though intact, is out of bounds", () => {
    const plan = planFor(sample);
    const beyond: Plan = { ...plan, operations: [{ kind: "verify", material: 9 }], steps: [] };
    const { diagnostics } = decodeImage(encodeImage(beyond, sample));
    expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
      ["DOMB5004", "material of operation 0 is 9, wanted 0 to 1"],
    ]);
  });

  it("gives a result for any bytes, and for any plan with the right digest", () => {
    const planOffset = HEADERS_END;
    const planBytes = new DataView(image.buffer).getUint32(ImageHeader.planBytes, true);
    const changes = fc.array(fc.tuple(fc.nat({ max: planBytes - 1 }), fc.nat({ max: 255 })), {
      maxLength: 4,
    });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => !decodeImage(bytes).ok));
    fc.assert(
      fc.property(changes, (list) => {
        const changed = Buffer.from(image);
        for (const [at, value] of list) changed.writeUInt8(value, planOffset + at);
        const digest = sha256(changed.subarray(planOffset, planOffset + planBytes));
        changed.write(digest, ImageHeader.planDigest, "hex");
        const decoded = decodeImage(changed);
        return decoded.ok || decoded.diagnostics.length > 0;
      }),
      { numRuns: 1000 },
    );
  });
});

describe("writeImage", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "domb-image-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("replaces a file and leaves nothing else", async () => {
    const path = join(folder, "launch.img");
    await writeFile(path, "an older image");
    await writeImage(path, image);
    expect((await readFile(path)).equals(image)).toBe(true);
    expect(await readdir(folder)).toEqual(["launch.img"]);
  });

  it("leaves nothing behind when it can't write", async () => {
    await expect(writeImage(join(folder, "no", "launch.img"), image)).rejects.toThrow("ENOENT");
    await expect(writeImage(folder, image)).rejects.toThrow();
    expect(await readdir(folder)).toEqual([]);
  });
});
