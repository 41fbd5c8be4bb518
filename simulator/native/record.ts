// SPDX-License-Identifier: Apache-2.0
// Records a launch of the boot domain's wasm: every import with what it was passed and what it
// gave, and what the launch left. replay.c replays it with the same boot domain as C.

import { isDeepStrictEqual } from "node:util";
import { MACHINE_X86_64 } from "../../contract/image.js";
import { TrustRecord } from "../../contract/trust.js";
import * as abi from "../../contract/xen-abi.js";
import { vcpu_guest_context_size } from "../../contract/xen-abi-arm64.js";
import { receiptBytes } from "../../xen-model/receipt.js";
import { injectFaults } from "../faults.js";
import {
  type BootDomainImports,
  clockKilohertz,
  imageFrame,
  memoryBase,
  type SimulationOptions,
  simulateLaunch,
} from "../simulate.js";
import type { SuiteCase } from "../suite.js";

/** The imports; a recording has their indices. */
export const importNames = [
  "clock",
  "imageRead",
  "trustRead",
  "domctl",
  "sysctl",
  "memoryOp",
  "consoleWrite",
  "xsmOp",
  "bootDomainOp",
] as const;

/** Bytes of the set of CPUs that an affinity points to. */
const CPU_SET_BYTES = 8;

/** Bytes of linear memory. */
export interface Area {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** One call of an import. */
export interface RecordedCall {
  readonly name: (typeof importNames)[number];
  /** Its arguments, 32 bits each: no more than three. */
  readonly words: readonly number[];
  /** Memory that the arguments point to, and memory that that points to. */
  readonly passed: readonly Area[];
  readonly answer: bigint;
  /** Memory that the call changed; what imageRead reads is not among it. */
  readonly written: readonly Area[];
}

export interface Recording {
  readonly name: string;
  readonly image: Uint8Array;
  readonly linearMemoryBytes: number;
  /** The architecture that the boot domain was told of. */
  readonly machine: number;
  readonly calls: readonly RecordedCall[];
  /** Whether the last call did not return. */
  readonly exited: boolean;
  /** The receipt's header and its domains. */
  readonly receipt: Area;
  /** Of all linear memory when the launch ended. */
  readonly memoryHash: number;
}

/** A launch to record, with what may stand between boot domain and model. */
export interface RecordedCase extends SuiteCase {
  readonly between?: SimulationOptions["between"];
}

/** FNV-1a, by words of 32 bits: a change of any one word changes it. */
function hashOf(memory: Uint8Array): number {
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.length / 4);
  let hash = 0x811c9dc5;
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
  return hash >>> 0;
}

function areaOf(memory: Uint8Array, address: number, bytes: number): Area {
  const from = address >>> 0;
  if (from + bytes > memory.length) throw new Error("the boot domain points Xen beyond its memory");
  return { address: from, bytes: memory.slice(from, from + bytes) };
}

/** What a structure's pointer points to. */
function pointedTo(memory: Uint8Array, pointer: bigint, bytes: number): Area {
  return areaOf(memory, Number(pointer - memoryBase), bytes);
}

function viewOf({ bytes }: Area): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function passedToDomctl(memory: Uint8Array, argument: number): Area[] {
  const structure = areaOf(memory, argument, abi.xen_domctl_size);
  const view = viewOf(structure);
  const command = view.getUint32(abi.xen_domctl_cmd_offset, true);
  if (command === abi.XEN_DOMCTL_setvcpucontext) {
    const context = view.getBigUint64(abi.xen_domctl_u_vcpucontext_ctxt_offset, true);
    return [structure, pointedTo(memory, context, vcpu_guest_context_size)];
  }
  if (command === abi.XEN_DOMCTL_setvcpuaffinity) {
    const offset = abi.xen_domctl_u_vcpuaffinity_cpumap_hard_bitmap_offset;
    return [structure, pointedTo(memory, view.getBigUint64(offset, true), CPU_SET_BYTES)];
  }
  if (command !== abi.XEN_DOMCTL_sethvmcontext) return [structure];
  const size = view.getUint32(abi.xen_domctl_u_hvmcontext_size_offset, true);
  const buffer = view.getBigUint64(abi.xen_domctl_u_hvmcontext_buffer_offset, true);
  return [structure, pointedTo(memory, buffer, size)];
}

function passedToMemoryOp(memory: Uint8Array, argument: number): Area[] {
  const structure = areaOf(memory, argument, abi.xen_memory_reservation_size);
  const view = viewOf(structure);
  const extents = view.getBigUint64(abi.xen_memory_reservation_nr_extents_offset, true);
  const start = view.getBigUint64(abi.xen_memory_reservation_extent_start_offset, true);
  return [structure, pointedTo(memory, start, Number(extents) * 8)];
}

function passedToXsmOp(memory: Uint8Array, argument: number): Area[] {
  const structure = areaOf(memory, argument, abi.xen_flask_op_size);
  const view = viewOf(structure);
  const size = view.getUint32(abi.xen_flask_op_u_sid_context_size_offset, true);
  const context = view.getBigUint64(abi.xen_flask_op_u_sid_context_context_offset, true);
  return [structure, pointedTo(memory, context, size)];
}

/** The largest of its structures: a hostile host may write to all of it; and room for a policy. */
function passedToBootDomainOp(memory: Uint8Array, command: number, argument: number): Area[] {
  const size = Math.max(abi.xen_boot_domain_exit_size, abi.xen_boot_domain_fill_size);
  const structure = areaOf(memory, argument, size);
  if (command !== abi.XEN_BOOT_DOMAIN_policy) return [structure];
  const view = viewOf(structure);
  const room = view.getUint32(abi.xen_boot_domain_part_bytes_offset, true);
  const buffer = view.getBigUint64(abi.xen_boot_domain_part_buffer_offset, true);
  return [structure, pointedTo(memory, buffer, room)];
}

/** Launches a case with the wasm, and records it. Throws what simulateLaunch() throws. */
export function recordLaunch(wasm: WebAssembly.Module, launch: RecordedCase): Recording {
  const { name, image, faults, machine = MACHINE_X86_64, between: other, ...host } = launch;
  const calls: RecordedCall[] = [];
  let exited = false;
  let memory = (): Uint8Array => new Uint8Array();
  const note = <Answer extends bigint | number | undefined>(
    call: Pick<RecordedCall, "name" | "words" | "passed">,
    run: () => Answer,
  ): Answer => {
    let answer: Answer | undefined;
    exited = true;
    try {
      answer = run();
      exited = false;
      return answer;
    } finally {
      const after = call.passed.map(({ address, bytes }) =>
        areaOf(memory(), address, bytes.length),
      );
      const written = after.filter((area, index) => !isDeepStrictEqual(area, call.passed[index]));
      calls.push({ ...call, answer: BigInt(answer ?? 0), written });
    }
  };
  const between: SimulationOptions["between"] = (direct, itsMemory, model) => {
    const { machine, xen } = other?.(direct, itsMemory, model) ?? direct;
    memory = itsMemory;
    const recorded: BootDomainImports = {
      machine: {
        clock: () => note({ name: "clock", words: [], passed: [] }, machine.clock),
        imageRead: (...words) => {
          note({ name: "imageRead", words, passed: [] }, () => {
            machine.imageRead(...words);
            return undefined;
          });
        },
        trustRead: (...words) => {
          const passed = [areaOf(memory(), words[0], TrustRecord.size)];
          note({ name: "trustRead", words, passed }, () => {
            machine.trustRead(...words);
            return undefined;
          });
        },
      },
      xen: {
        domctl: (...words) =>
          note({ name: "domctl", words, passed: passedToDomctl(memory(), ...words) }, () =>
            xen.domctl(...words),
          ),
        sysctl: (...words) => {
          const passed = [areaOf(memory(), words[0], abi.xen_sysctl_size)];
          return note({ name: "sysctl", words, passed }, () => xen.sysctl(...words));
        },
        memoryOp: (...words) =>
          note({ name: "memoryOp", words, passed: passedToMemoryOp(memory(), words[1]) }, () =>
            xen.memoryOp(...words),
          ),
        consoleWrite: (...words) =>
          note({ name: "consoleWrite", words, passed: [areaOf(memory(), ...words)] }, () =>
            xen.consoleWrite(...words),
          ),
        xsmOp: (...words) =>
          note({ name: "xsmOp", words, passed: passedToXsmOp(memory(), ...words) }, () =>
            xen.xsmOp(...words),
          ),
        bootDomainOp: (...words) =>
          note(
            { name: "bootDomainOp", words, passed: passedToBootDomainOp(memory(), ...words) },
            () => xen.bootDomainOp(...words),
          ),
      },
    };
    return recorded;
  };
  const { receipt } = simulateLaunch(image, {
    ...{ ...host, wasm, machine, between },
    inject: injectFaults(faults),
  });
  return {
    ...{ name, image, machine, calls, exited, linearMemoryBytes: memory().length },
    receipt: areaOf(memory(), receiptAddress(wasm), receiptBytes(receipt)),
    memoryHash: hashOf(memory()),
  };
}

/** Where the boot domain keeps its receipt, as it says itself. */
function receiptAddress(wasm: WebAssembly.Module): number {
  const none = (): number => 0;
  const { exports } = new WebAssembly.Instance(wasm, {
    machine: { clock: none, imageRead: none, trustRead: none },
    xen: {
      ...{ domctl: none, sysctl: none, memoryOp: none },
      ...{ consoleWrite: none, xsmOp: none, bootDomainOp: none },
    },
  });
  return (exports as unknown as { receipt(): number }).receipt();
}

/*
 * The binary form, little-endian, all numbers of 32 bits unless said otherwise. `bytes` is a number
 * and so many bytes; `list` a number and so many of what follows.
 *
 *   recording: size of what follows, name: bytes, image: bytes, linearMemoryBytes,
 *              memoryBase: 64 bits, imageFrame: 64 bits, clockKilohertz,
 *              machine, exited, receipt: area, memoryHash, calls: list of call
 *   call:      index of its name, three words, passed: list of area, answer: 64 bits,
 *              written: list of area
 *   area:      address, bytes
 */

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
}

type Pieces = readonly Uint8Array[];

const sized = (bytes: Uint8Array): Pieces => [u32(bytes.length), bytes];
const area = ({ address, bytes }: Area): Pieces => [u32(address), ...sized(bytes)];
const list = (items: readonly Pieces[]): Pieces => [u32(items.length), ...items.flat()];

function encodeCall({ name, words, passed, answer, written }: RecordedCall): Pieces {
  return [
    u32(importNames.indexOf(name)),
    ...[0, 1, 2].map((index) => u32(words[index] ?? 0)),
    ...list(passed.map(area)),
    u64(answer),
    ...list(written.map(area)),
  ];
}

/** The recording as replay.c reads it. */
export function encodeRecording(recording: Recording): Uint8Array {
  const pieces = [
    ...sized(Buffer.from(recording.name)),
    ...sized(recording.image),
    u32(recording.linearMemoryBytes),
    u64(memoryBase),
    u64(BigInt(imageFrame)),
    u32(clockKilohertz),
    u32(recording.machine),
    u32(recording.exited ? 1 : 0),
    ...area(recording.receipt),
    u32(recording.memoryHash),
    ...list(recording.calls.map(encodeCall)),
  ];
  return Buffer.concat(sized(Buffer.concat(pieces)));
}
