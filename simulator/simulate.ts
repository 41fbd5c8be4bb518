// SPDX-License-Identifier: Apache-2.0
// Runs the boot domain's very wasm on the model of Xen. Ends when the boot domain does; a trap or
// an access outside its bounds is an error of the boot domain, and thrown.

import { readFile } from "node:fs/promises";
import { MACHINE_ARM64, MACHINE_X86_64 } from "../contract/image.js";
import { PAGE_SIZE } from "../contract/limits.js";
import { TrustRecord } from "../contract/trust.js";
import { XEN_DOMCTL_CONFIG_GIC_V3 } from "../contract/xen-abi-arm64.js";
import { paths } from "../setup/paths.js";
import type { HostArchitecture } from "../xen-model/architecture.js";
import { arm64Architecture } from "../xen-model/arm64/architecture.js";
import { DIGEST_BYTE_NS } from "../xen-model/costs.js";
import type { Behaviour, DomainLife } from "../xen-model/domain-life.js";
import type { GrantLimits } from "../xen-model/domain-tables.js";
import type { Hypercall, Injection } from "../xen-model/hypercalls.js";
import { decodeReceipt, type Receipt } from "../xen-model/receipt.js";
import { x86Architecture } from "../xen-model/x86_64/architecture.js";
import {
  BootDomainExited,
  type ModelDomain,
  type ModelExit,
  type Observe,
  XenModel,
} from "../xen-model/xen.js";

/** What the wasm imports: docs/wasm-imports.md. Addresses and sizes come as signed numbers. */
export interface BootDomainImports {
  readonly machine: {
    clock(): bigint;
    imageRead(offset: number, destination: number, bytes: number): void;
    trustRead(destination: number): void;
  };
  readonly xen: {
    domctl(argument: number): number;
    sysctl(argument: number): number;
    memoryOp(command: number, argument: number): number;
    consoleWrite(text: number, bytes: number): number;
    xsmOp(argument: number): number;
    bootDomainOp(command: number, argument: number): number;
  };
}

export interface SimulationOptions {
  /** The boot domain, compiled. */
  readonly wasm: WebAssembly.Module;
  /** The host's architecture, as in ImageHeader.machine; default: MACHINE_X86_64. */
  readonly machine?: number | undefined;
  /** Pages of the host that are free when the launch begins. */
  readonly freePages: number;
  /** Physical CPUs of the host; default: 8. */
  readonly cpus?: number | undefined;
  /** What a domain's grant tables may have; default: what Xen allows unless it is told otherwise. */
  readonly grantLimits?: GrantLimits | undefined;
  /** What each domain does once it runs; default: it runs on, silent. */
  readonly behaviourOf?: ((domid: number) => Behaviour | undefined) | undefined;
  /** The FLASK policy that Xen enforces. */
  readonly policy?: Uint8Array | undefined;
  /** Whom the boot domain trusts, a TrustRecord; default: nobody. */
  readonly trust?: Uint8Array | undefined;
  /** Asked before each hypercall for what it is to give instead. */
  readonly inject?: (call: Hypercall) => Injection | undefined;
  readonly observe?: Observe | undefined;
  /** Puts something between boot domain and model; `memory` gives the boot domain's own. */
  readonly between?: (
    imports: BootDomainImports,
    memory: () => Uint8Array,
    model: XenModel,
  ) => BootDomainImports;
}

export interface Simulation {
  readonly receipt: Receipt;
  /** What Xen was told at the exit; undefined when Xen refused it, and the boot domain crashed. */
  readonly exit: ModelExit | undefined;
  readonly consoleLines: readonly string[];
  /** Domains that are left, by domid. */
  readonly domains: ReadonlyMap<number, ModelDomain>;
  /** Each domain that was started, in the order of the starts, and what it did. */
  readonly lives: readonly DomainLife[];
  readonly freePages: number;
  /** Pages that Xen took for the boot domain itself. */
  readonly bootDomainPages: number;
  /** Virtual time when it had ended, in nanoseconds. */
  readonly endNs: number;
  readonly hypercalls: number;
  /** Bytes of the image that were read. */
  readonly imageBytesRead: number;
  /** The boot domain's linear memory as the launch left it. */
  readonly memory: Uint8Array;
}

/** Where linear memory seems to lie: an address that no offset can be mistaken for. */
export const memoryBase = 0x7f00_0000_0000n;
/** First gfn of the image in the boot domain. */
export const imageFrame = 0x200;
/** A tick of the clock is a nanosecond. */
export const clockKilohertz = 1_000_000;

/** The wasm's exports, as bootdomain/assembly/index.ts has them. */
interface BootDomainExports {
  readonly memory: WebAssembly.Memory;
  launch(
    base: bigint,
    frame: bigint,
    moduleBytes: number,
    kilohertz: number,
    machine: number,
  ): void;
  receipt(): number;
}

/** The boot domain as built. Throws what reading the file throws. */
export async function loadBootDomain(path = paths.bootDomainWasm): Promise<WebAssembly.Module> {
  return WebAssembly.compile(new Uint8Array(await readFile(path)));
}

/** What the boot domain runs on if it is told of this machine: with a GICv3 if it is an Arm one. */
function hostOf(machine: number): HostArchitecture {
  return machine === MACHINE_ARM64 ? arm64Architecture(XEN_DOMCTL_CONFIG_GIC_V3) : x86Architecture;
}

/** Launches an image, which may be any bytes. */
export function simulateLaunch(image: Uint8Array, options: SimulationOptions): Simulation {
  const { wasm, machine = MACHINE_X86_64 } = options;
  const { freePages, policy, trust, inject, observe, between } = options;
  const { cpus, grantLimits, behaviourOf } = options;
  let linear = new Uint8Array(0);
  let imageBytesRead = 0;
  const model = new XenModel(
    {
      at: (address, bytes) => {
        const offset = Number(address - memoryBase);
        const there = offset >= 0 && offset + bytes <= linear.length;
        return there ? new DataView(linear.buffer, offset, bytes) : undefined;
      },
      frame: (gfn) => {
        const offset = (gfn - imageFrame) * PAGE_SIZE;
        const there = offset >= 0 && offset < image.length;
        return there ? image.subarray(offset, offset + PAGE_SIZE) : undefined;
      },
    },
    {
      ...{ freePages, architecture: hostOf(machine), policy, inject, observe },
      ...{ cpus, grantLimits, behaviourOf },
    },
  );
  const pointer = (address: number): bigint => memoryBase + BigInt(address >>> 0);
  const imports: BootDomainImports = {
    machine: {
      clock: () => BigInt(Math.round(model.host.now)),
      imageRead: (offset, destination, bytes) => {
        const [from, to, count] = [offset >>> 0, destination >>> 0, bytes >>> 0];
        if (from + count > image.length) {
          throw new Error(`the boot domain reads ${count} bytes at ${from}, beyond the image`);
        }
        if (to + count > linear.length) {
          throw new Error(`the boot domain reads ${count} bytes to ${to}, beyond its memory`);
        }
        linear.set(image.subarray(from, from + count), to);
        imageBytesRead += count;
        model.host.now += count * DIGEST_BYTE_NS;
      },
      trustRead: (destination) => {
        linear.set(trust ?? new Uint8Array(TrustRecord.size), destination >>> 0);
      },
    },
    xen: {
      domctl: (argument) => model.domctl(pointer(argument)),
      sysctl: (argument) => model.sysctl(pointer(argument)),
      memoryOp: (command, argument) => model.memoryOp(command, pointer(argument)),
      consoleWrite: (text, bytes) => model.consoleWrite(pointer(text), bytes),
      xsmOp: (argument) => model.xsmOp(pointer(argument)),
      bootDomainOp: (command, argument) => model.bootDomainOp(command, pointer(argument)),
    },
  };
  const chosen = between?.(imports, () => linear, model) ?? imports;
  const instance = new WebAssembly.Instance(wasm, { ...chosen });
  const bootDomain = instance.exports as unknown as BootDomainExports;
  linear = new Uint8Array(bootDomain.memory.buffer);
  try {
    bootDomain.launch(memoryBase, BigInt(imageFrame), image.length, clockKilohertz, machine);
    model.crash();
  } catch (error) {
    if (!(error instanceof BootDomainExited)) throw error;
  }
  return {
    receipt: decodeReceipt(linear.subarray(bootDomain.receipt())),
    exit: model.exit,
    consoleLines: model.consoleLines,
    domains: model.host.domains,
    lives: model.host.lives,
    freePages: model.host.freePages,
    bootDomainPages: model.host.structurePages,
    endNs: model.host.now,
    hypercalls: model.hypercalls,
    imageBytesRead,
    memory: linear,
  };
}
