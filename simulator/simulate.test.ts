// SPDX-License-Identifier: Apache-2.0
// The boot domain's own wasm on the model of Xen: good launches, every hypercall failing, any bytes.

import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../compiler/compile.js";
import { ImageHeader } from "../contract/image.js";
import { PAGE_SIZE } from "../contract/limits.js";
import { LaunchStatus } from "../contract/receipt.js";
import { XEN_ENOMEM } from "../contract/xen-abi.js";
import { compiled } from "../lab/lab-bench.js";
import { parseReceiptLines } from "../xen-model/receipt.js";
import { loadBootDomain, type Simulation, simulateLaunch } from "./simulate.js";

const freePages = 0x100000;
const probe = { kernel: "build/guests/probe.elf", memory: "4 MiB", output: "xen-log" } as const;

let wasm: WebAssembly.Module;
let launch: CompiledLaunch;

beforeAll(async () => {
  wasm = await loadBootDomain();
  launch = await compiled({
    domb: 1,
    domains: { first: { ...probe, cmdline: "first" }, second: { ...probe, cmdline: "second" } },
  });
});

const run = (image: Uint8Array, fault?: (call: number) => number | undefined): Simulation =>
  simulateLaunch(image, {
    wasm,
    freePages,
    inject: ({ number }) => {
      const errno = fault?.(number);
      return errno === undefined ? undefined : { answer: -errno, done: 0 };
    },
  });

function flipBit(image: Uint8Array, bit: number): Uint8Array {
  const flipped = image.slice();
  const byte = Math.floor(bit / 8);
  flipped[byte] = (flipped[byte] ?? 0) ^ (1 << (bit % 8));
  return flipped;
}

describe("a launch in the simulator", () => {
  it("[RFC-CREATE] starts every domain and ends with success", async () => {
    const { receipt, exit, domains } = run(launch.image);
    expect(receipt.status).toBe(LaunchStatus.success);
    expect(exit?.status).toBe(LaunchStatus.success);
    expect([...domains.values()].map(({ domid, started }) => ({ domid, started }))).toEqual([
      { domid: 1, started: true },
      { domid: 2, started: true },
    ]);
  });

  it("prints the receipt that it keeps", async () => {
    const { receipt, consoleLines } = run(launch.image);
    expect(parseReceiptLines(consoleLines)).toEqual(receipt);
  });

  it("puts the kernel's bytes where its segments say, and zeros where it relies on them", async () => {
    const { domains } = run(launch.image);
    const memory = domains.get(1)?.memory;
    const elf = await readFile("build/guests/probe.elf");
    const programHeaders = Number(elf.readBigUInt64LE(32));
    const segments = Array.from({ length: elf.readUInt16LE(56) }, (_, index) => {
      const at = programHeaders + index * 56;
      const u64 = (offset: number): number => Number(elf.readBigUInt64LE(at + offset));
      return {
        type: elf.readUInt32LE(at),
        offset: u64(8),
        address: u64(24),
        file: u64(32),
        size: u64(40),
      };
    }).filter(({ type, size }) => type === 1 && size > 0);
    expect(segments.length).toBeGreaterThan(0);
    for (const { offset, address, file, size } of segments) {
      for (let byte = 0; byte < size; byte++) {
        const page = memory?.read(Math.floor((address + byte) / PAGE_SIZE));
        const wanted = byte < file ? elf[offset + byte] : 0;
        if (page?.[(address + byte) % PAGE_SIZE] !== wanted) {
          expect.fail(`byte ${address + byte} is ${page?.[(address + byte) % PAGE_SIZE]}`);
        }
      }
    }
  });

  it("takes from the host what the compiler says, and no more", async () => {
    const { freePages: left } = run(launch.image);
    const demanded = launch.demand.domains.reduce((sum, { pages }) => sum + pages, 0);
    expect(freePages - left).toBeLessThanOrEqual(demanded);
  });

  it("[RFC-EXIT] that fails at any hypercall leaves no domain, and names the errno", async () => {
    // The last four are the receipt's lines and the exit itself.
    const { hypercalls } = run(launch.image);
    const receiptLines = 3;
    for (let failing = 1; failing <= hypercalls - receiptLines - 1; failing++) {
      const result = run(launch.image, (call) => (call === failing ? XEN_ENOMEM : undefined));
      expect(result.exit).toMatchObject({ status: LaunchStatus.hypercall, error: XEN_ENOMEM });
      expect(result.exit?.step).toBeGreaterThan(0);
      expect(result.exit?.operation).toBeGreaterThan(0);
      expect(result.domains.size).toBe(0);
      expect(result.freePages).toBe(freePages);
    }
  });

  it("fails for want of memory wherever it runs out, and gives all of it back", async () => {
    const { freePages: left } = run(launch.image);
    const needed = freePages - left;
    for (let pages = 0; pages < needed; pages += 97) {
      const result = simulateLaunch(launch.image, { wasm, freePages: pages });
      expect(result.exit).toMatchObject({ status: LaunchStatus.hypercall, error: XEN_ENOMEM });
      expect(result.freePages).toBe(pages);
    }
  });
});

describe("an image of any bytes", () => {
  it("with any one bit of its header flipped ends in a status, and starts nothing", async () => {
    for (let bit = 0; bit < ImageHeader.size * 8; bit++) {
      const { receipt, domains } = run(flipBit(launch.image, bit));
      expect(receipt.status, `bit ${bit}`).not.toBe(LaunchStatus.success);
      expect(domains.size).toBe(0);
    }
  });

  it("[RFC-EXIT] with any one bit flipped starts nothing whose digest is wrong", async () => {
    fc.assert(
      fc.property(fc.nat({ max: launch.image.length * 8 - 1 }), (bit) => {
        const { receipt, domains } = run(flipBit(launch.image, bit));
        // What lies between plan and materials belongs to nothing, and may be anything.
        if (receipt.status === LaunchStatus.success) {
          const header = new DataView(launch.image.buffer);
          const planEnd =
            header.getUint32(ImageHeader.planOffset, true) +
            header.getUint32(ImageHeader.planBytes, true);
          expect(bit / 8).toBeGreaterThanOrEqual(planEnd);
          expect(bit / 8).toBeLessThan(launch.plan.materials[0]?.offset ?? 0);
        } else expect(domains.size).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  it("cut at any length ends in a status, and starts nothing", async () => {
    for (let bytes = 0; bytes < launch.image.length; bytes += 61) {
      const { receipt, domains } = run(launch.image.slice(0, bytes));
      expect(receipt.status).toBe(LaunchStatus.imageTruncated);
      expect(domains.size).toBe(0);
    }
  });

  it("that is noise ends in a status", async () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8192 }), (noise) => {
        const { receipt } = run(noise);
        expect(receipt.status).not.toBe(LaunchStatus.success);
      }),
      { numRuns: 500 },
    );
  });
});
