// SPDX-License-Identifier: Apache-2.0
// Reads an ELF64 kernel: its segments at their physical addresses, and where it is entered, which on
// x86-64 a PVH note names and on arm64 the file's header. Every field is hostile; sections, symbols
// and relocations are not looked at.

import { XEN_ELFNOTE_PHYS32_ENTRY } from "../../contract/xen-abi.js";
import type { Architecture } from "../../xen-model/machines.js";
import type { Diagnostic, Result } from "../diagnostics/diagnostic.js";
import { type MaterialFile, materialFault } from "./material-file.js";

/** Bytes of the guest's memory that the kernel says something about. */
export interface Segment {
  /** Guest physical address, bytes. */
  readonly address: number;
  /** What lies there; zeros follow up to memoryBytes. */
  readonly bytes: Uint8Array;
  readonly memoryBytes: number;
}

export interface Kernel {
  readonly architecture: Architecture;
  /** Guest physical address at which it is entered. */
  readonly entry: number;
  /** By ascending address, without overlap, at least one. */
  readonly segments: readonly Segment[];
}

/** Kernels lie in the first 4 GiB: on x86-64 their entry has 32 bits, on arm64 Xen says so. */
const ADDRESS_END = 0x1_0000_0000;
const ELF_MAGIC = 0x464c457f;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const ELF_VERSION = 1;
const TYPE_EXECUTABLE = 2;
const TYPE_SHARED = 3;
/** e_machine: EM_X86_64 and EM_AARCH64. */
const elfMachines: Readonly<Record<Architecture, number>> = { x86_64: 62, arm64: 183 };
const FILE_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SEGMENT_LOAD = 1;
const SEGMENT_NOTE = 4;
const NOTE_HEADER_BYTES = 12;
const XEN_NOTE_NAME = "Xen\0";

/** Whether the file starts as an ELF file does. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === ELF_MAGIC;
}

interface ProgramHeader {
  readonly index: number;
  readonly type: number;
  readonly offset: bigint;
  readonly physicalAddress: bigint;
  readonly fileBytes: bigint;
  readonly memoryBytes: bigint;
}

/** Reads a kernel; `bytes` are the file's, or what a bzImage holds. */
export function readElfKernel(bytes: Uint8Array, file: MaterialFile): Result<Kernel> {
  const headers = readProgramHeaders(bytes, file);
  if (!headers.ok) return headers;
  const diagnostics: Diagnostic[] = [];
  for (const header of headers.value) {
    diagnostics.push(...checkProgramHeader(header, bytes.length, file));
  }
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  const view = viewOf(bytes);
  const isArm64 = view.getUint16(18, true) === elfMachines.arm64;
  const fileEntry = isArm64 ? view.getBigUint64(24, true) : undefined;
  return assemble(bytes, headers.value, fileEntry, file);
}

function readProgramHeaders(
  bytes: Uint8Array,
  file: MaterialFile,
): Result<readonly ProgramHeader[]> {
  if (bytes.length < FILE_HEADER_BYTES) {
    return fieldFault(file, "e_ident", `${bytes.length} bytes`, `${FILE_HEADER_BYTES} bytes`);
  }
  const view = viewOf(bytes);
  const wanted: readonly [field: string, value: number, wanted: readonly number[]][] = [
    ["EI_MAG", view.getUint32(0, true), [ELF_MAGIC]],
    ["EI_CLASS", view.getUint8(4), [CLASS_64]],
    ["EI_DATA", view.getUint8(5), [LITTLE_ENDIAN]],
    ["EI_VERSION", view.getUint8(6), [ELF_VERSION]],
    ["e_type", view.getUint16(16, true), [TYPE_EXECUTABLE, TYPE_SHARED]],
    ["e_machine", view.getUint16(18, true), Object.values(elfMachines)],
    ["e_version", view.getUint32(20, true), [ELF_VERSION]],
    ["e_ehsize", view.getUint16(52, true), [FILE_HEADER_BYTES]],
    ["e_phentsize", view.getUint16(54, true), [PROGRAM_HEADER_BYTES]],
  ];
  const faults = wanted
    .filter(([, value, allowed]) => !allowed.includes(value))
    .flatMap(
      ([field, value, allowed]) =>
        fieldFault(file, field, hexadecimal(value), allowed.map(hexadecimal).join(" or "))
          .diagnostics,
    );
  if (faults.length > 0) return { ok: false, diagnostics: faults };

  const count = view.getUint16(56, true);
  if (count === 0) return fieldFault(file, "e_phnum", "0", "at least 1");
  const offset = view.getBigUint64(32, true);
  const tableBytes = BigInt(count * PROGRAM_HEADER_BYTES);
  if (offset + tableBytes > BigInt(bytes.length)) {
    return fieldFault(
      file,
      "e_phoff",
      `${hexadecimal(offset)} with e_phnum ${count}`,
      `a table that ends within the file's ${hexadecimal(bytes.length)} bytes`,
    );
  }
  const headers = Array.from({ length: count }, (_, index) => {
    const at = Number(offset) + index * PROGRAM_HEADER_BYTES;
    return {
      index,
      type: view.getUint32(at, true),
      offset: view.getBigUint64(at + 8, true),
      physicalAddress: view.getBigUint64(at + 24, true),
      fileBytes: view.getBigUint64(at + 32, true),
      memoryBytes: view.getBigUint64(at + 40, true),
    };
  });
  const used = headers.filter(
    ({ type, fileBytes, memoryBytes }) =>
      (type === SEGMENT_LOAD && (memoryBytes > 0n || fileBytes > 0n)) || type === SEGMENT_NOTE,
  );
  return { ok: true, value: used, diagnostics: [] };
}

function checkProgramHeader(
  header: ProgramHeader,
  size: number,
  file: MaterialFile,
): readonly Diagnostic[] {
  const { index, type, offset, physicalAddress, fileBytes, memoryBytes } = header;
  const name = (field: string) => `${field} of program header ${index}`;
  if (offset > BigInt(size) || fileBytes > BigInt(size) - offset) {
    return fieldFault(
      file,
      name("p_offset"),
      `${hexadecimal(offset)} with p_filesz ${hexadecimal(fileBytes)}`,
      `bytes within the file's ${hexadecimal(size)}`,
    ).diagnostics;
  }
  if (type !== SEGMENT_LOAD) return [];
  if (memoryBytes < fileBytes) {
    return fieldFault(
      file,
      name("p_memsz"),
      hexadecimal(memoryBytes),
      `at least p_filesz, ${hexadecimal(fileBytes)}`,
    ).diagnostics;
  }
  if (physicalAddress + memoryBytes > BigInt(ADDRESS_END)) {
    return fieldFault(
      file,
      name("p_paddr"),
      `${hexadecimal(physicalAddress)} with p_memsz ${hexadecimal(memoryBytes)}`,
      `addresses below ${hexadecimal(ADDRESS_END)}`,
    ).diagnostics;
  }
  return [];
}

/** The kernel of program headers that were checked; `fileEntry` is the header's, if that counts. */
function assemble(
  bytes: Uint8Array,
  headers: readonly ProgramHeader[],
  fileEntry: bigint | undefined,
  file: MaterialFile,
): Result<Kernel> {
  const content = (header: ProgramHeader) =>
    bytes.subarray(Number(header.offset), Number(header.offset + header.fileBytes));
  const segments = headers
    .filter(({ type }) => type === SEGMENT_LOAD)
    .map((header) => ({
      address: Number(header.physicalAddress),
      bytes: content(header),
      memoryBytes: Number(header.memoryBytes),
    }))
    .sort((a, b) => a.address - b.address);
  const overlap = segments.find((segment, index) => {
    const before = segments[index - 1];
    return before !== undefined && before.address + before.memoryBytes > segment.address;
  });
  if (overlap !== undefined) {
    return materialFault(
      file,
      "DOMB3010",
      `two segments lie at guest address ${hexadecimal(overlap.address)}`,
      "Link the kernel so that each segment has addresses of its own.",
    );
  }
  const entries = headers
    .filter(({ type }) => type === SEGMENT_NOTE)
    .map((header) => findEntry(content(header)))
    .filter((entry) => entry !== undefined);
  const entry = fileEntry ?? entries[0];
  if (entry === undefined) {
    return materialFault(
      file,
      "DOMB3009",
      "no ELF note of Xen with type XEN_ELFNOTE_PHYS32_ENTRY says where the kernel starts",
      "Use a kernel that is built with CONFIG_PVH, or another with a PVH entry note.",
    );
  }
  const holdsEntry = ({ address, memoryBytes }: Segment) =>
    BigInt(address) <= entry && entry < BigInt(address + memoryBytes);
  if (!segments.some(holdsEntry)) {
    return fieldFault(
      file,
      fileEntry === undefined ? "XEN_ELFNOTE_PHYS32_ENTRY" : "e_entry",
      hexadecimal(entry),
      "an address within one of the kernel's segments",
    );
  }
  const architecture = fileEntry === undefined ? "x86_64" : "arm64";
  return {
    ok: true,
    value: { architecture, entry: Number(entry), segments },
    diagnostics: [],
  };
}

/** The entry that a segment of notes names; what follows a damaged note is not looked at. */
function findEntry(notes: Uint8Array): bigint | undefined {
  const view = viewOf(notes);
  let at = 0;
  while (at + NOTE_HEADER_BYTES <= notes.length) {
    const nameBytes = view.getUint32(at, true);
    const valueBytes = view.getUint32(at + 4, true);
    const type = view.getUint32(at + 8, true);
    const value = at + NOTE_HEADER_BYTES + roundUpTo4(nameBytes);
    const end = value + valueBytes;
    if (end > notes.length) return undefined;
    const name = Buffer.from(notes.subarray(at + NOTE_HEADER_BYTES, value)).toString("latin1");
    if (type === XEN_ELFNOTE_PHYS32_ENTRY && name === XEN_NOTE_NAME) {
      if (valueBytes === 4) return BigInt(view.getUint32(value, true));
      if (valueBytes === 8) return view.getBigUint64(value, true);
    }
    at = roundUpTo4(end);
  }
  return undefined;
}

function fieldFault(file: MaterialFile, field: string, value: string, wanted: string) {
  return materialFault(
    file,
    "DOMB3008",
    `ELF field ${field} is ${value}, wanted ${wanted}`,
    "Copy or build the kernel again; it must be an executable for x86-64.",
  );
}

function roundUpTo4(value: number): number {
  return Math.ceil(value / 4) * 4;
}

function hexadecimal(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
