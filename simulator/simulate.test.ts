// SPDX-License-Identifier: Apache-2.0
// The boot domain's own wasm on the model of Xen: good launches, every hypercall failing, any bytes.

import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../compiler/compile.js";
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
