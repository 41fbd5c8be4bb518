// SPDX-License-Identifier: Apache-2.0
// Looks into the memory of the emulated host through QEMU's monitor protocol (QMP), while Xen runs:
// the only way to see what Xen itself shows nobody.

import { once } from "node:events";
import { open, rm } from "node:fs/promises";
import { connect } from "node:net";
import { createInterface } from "node:readline";

const pieceBytes = 0x1000000;

/** Writes a range of the host's memory to a file that must not exist. */
export async function dumpHostMemory(
  monitorSocket: string,
  { start, bytes }: { readonly start: number; readonly bytes: number },
  file: string,
): Promise<void> {
  const socket = connect(monitorSocket);
  await once(socket, "connect");
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const answer = async (): Promise<void> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error("QEMU closed its monitor");
      const message: { return?: unknown; error?: { desc: string } } = JSON.parse(value);
      if (message.error !== undefined) throw new Error(message.error.desc);
      if (message.return !== undefined) return;
    }
  };
  const execute = async (command: string, parameters?: object): Promise<void> => {
    socket.write(`${JSON.stringify({ execute: command, arguments: parameters })}\n`);
    await answer();
  };
  try {
    await execute("qmp_capabilities");
    await execute("stop");
    await execute("pmemsave", { val: start, size: bytes, filename: file });
    await execute("cont");
  } finally {
    socket.destroy();
  }
}

/** How often the bytes occur in a file. */
export async function occurrencesInFile(file: string, wanted: Uint8Array): Promise<number> {
  const handle = await open(file);
  try {
    let occurrences = 0;
    let rest = Buffer.alloc(0);
    const piece = Buffer.alloc(pieceBytes);
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, pieceBytes);
      if (bytesRead === 0) return occurrences;
      const text = Buffer.concat([rest, piece.subarray(0, bytesRead)]);
      for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) occurrences++;
      rest = text.subarray(Math.max(0, text.length - wanted.length + 1));
    }
  } finally {
    await handle.close();
  }
}

/** Removes a dump: it is as large as the host's memory. */
export async function removeDump(file: string): Promise<void> {
  await rm(file, { force: true });
}
