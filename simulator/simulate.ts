// SPDX-License-Identifier: Apache-2.0
// Runs the boot domain's very wasm on the model of Xen. Ends when the boot domain does; a trap, an
// access outside its bounds or an exit that returns is an error of the boot domain, and thrown.

import { PAGE_SIZE } from "../contract/limits.js";
import { DIGEST_BYTE_NS } from "../xen-model/costs.js";
import { decodeReceipt, type Receipt } from "../xen-model/receipt.js";
import { BootDomainExited, type ModelDomain, type ModelExit, XenModel } from "../xen-model/xen.js";

export interface SimulationOptions {
  /** The boot domain's wasm. */
  readonly wasm: BufferSource;
  /** Pages of the host that are free when the launch begins. */
  readonly freePages: number;
  /** Asked before each hypercall, counted from 1: an errno to give instead of doing it. */
  readonly fault?: (call: number) => number | undefined;
}

export interface Simulation {
  readonly receipt: Receipt;
  /** What Xen was told at the exit. */
  readonly exit: ModelExit;
  readonly consoleLines: readonly string[];
  /** Domains that are left, by domid. */
  readonly domains: ReadonlyMap<number, ModelDomain>;
  readonly freePages: number;
  readonly hypercalls: number;
}

/** Where linear memory seems to lie: an address that no offset can be mistaken for. */
const memoryBase = 0x7f00_0000_0000n;
/** First gfn of the image in the boot domain. */
const imageFrame = 0x200;
/** A tick of the clock is a nanosecond. */
const clockKilohertz = 1_000_000;

/** The wasm's exports, as bootdomain/assembly/index.ts has them. */
interface BootDomainExports {
  readonly memory: WebAssembly.Memory;
  launch(base: bigint, frame: bigint, moduleBytes: number, kilohertz: number): void;
  receipt(): number;
}

/** Launches an image, which may be any bytes. */
export async function simulateLaunch(
  image: Uint8Array,
  { wasm, freePages, fault }: SimulationOptions,
): Promise<Simulation> {
  let linear = new ArrayBuffer(0);
  const within = (address: number, bytes: number): DataView => {
    if (address + bytes > linear.byteLength) {
      throw new Error(`the boot domain reads ${bytes} bytes at ${address}, beyond its memory`);
    }
    return new DataView(linear, address, bytes);
  };
  const model = new XenModel(
    {
      at: (address, bytes) => {
        const offset = Number(address - memoryBase);
        const there = offset >= 0 && offset + bytes <= linear.byteLength;
        return there ? new DataView(linear, offset, bytes) : undefined;
      },
      frame: (gfn) => {
        const offset = (gfn - imageFrame) * PAGE_SIZE;
        const there = offset >= 0 && offset < image.length;
        return there ? image.subarray(offset, offset + PAGE_SIZE) : undefined;
      },
    },
    { freePages, fault },
  );
  const pointer = (address: number): bigint => memoryBase + BigInt(address >>> 0);
  const imports = {
    machine: {
      clock: (): bigint => BigInt(Math.round(model.now)),
      imageRead: (offset: number, destination: number, bytes: number): void => {
        const [from, to, count] = [offset >>> 0, destination >>> 0, bytes >>> 0];
        if (from + count > image.length) {
          throw new Error(`the boot domain reads ${count} bytes at ${from}, beyond the image`);
        }
        const target = within(to, count);
        new Uint8Array(target.buffer, target.byteOffset, count).set(
          image.subarray(from, from + count),
        );
        model.now += count * DIGEST_BYTE_NS;
      },
    },
    xen: {
      domctl: (argument: number) => model.domctl(pointer(argument)),
      memoryOp: (command: number, argument: number) => model.memoryOp(command, pointer(argument)),
      consoleWrite: (text: number, bytes: number) => model.consoleWrite(pointer(text), bytes),
      bootDomainOp: (command: number, argument: number) =>
        model.bootDomainOp(command, pointer(argument)),
    },
  };
  const { instance } = await WebAssembly.instantiate(wasm, imports);
  const bootDomain = instance.exports as unknown as BootDomainExports;
  linear = bootDomain.memory.buffer;
  try {
    bootDomain.launch(memoryBase, BigInt(imageFrame), image.length, clockKilohertz);
  } catch (error) {
    if (!(error instanceof BootDomainExited)) throw error;
  }
  if (model.exit === undefined) throw new Error("the boot domain returned without an exit");
  return {
    receipt: decodeReceipt(new Uint8Array(linear, bootDomain.receipt())),
    exit: model.exit,
    consoleLines: model.consoleLines,
    domains: model.domains,
    freePages: model.freePages,
    hypercalls: model.hypercalls,
  };
}
