// SPDX-License-Identifier: Apache-2.0
// Follows a file that another process writes, line by line as the lines come. The serial port goes
// through a file and not a pipe, because a reader that is slow for a moment would make QEMU wait,
// and the guest with it: times would no longer be the same in each run.

import { watch } from "node:fs";
import { open } from "node:fs/promises";

const pieceBytes = 0x10000;

/**
 * Gives `onLine` each line of the file, without its end, until `writer` settles and all is read.
 * The last line counts even without an end. The file must exist.
 */
export async function followLines(
  path: string,
  writer: Promise<unknown>,
  onLine: (line: string) => void,
): Promise<void> {
  const file = await open(path);
  const decoder = new TextDecoder();
  const piece = Buffer.alloc(pieceBytes);
  let rest = "";

  const readOn = async (): Promise<void> => {
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, pieceBytes);
      if (bytesRead === 0) return;
      const lines = (rest + decoder.decode(piece.subarray(0, bytesRead), { stream: true })).split(
        "\n",
      );
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line.replace(/\r+$/, ""));
    }
  };

  let changed: () => void = () => {};
  let ended = false;
  const watcher = watch(path, () => changed());
  const end = writer.finally(() => {
    ended = true;
    changed();
  });
  try {
    while (!ended) {
      // Set before reading, so that a change while we read is not missed.
      const change = new Promise<void>((resolve) => {
        changed = resolve;
      });
      await readOn();
      if (!ended) await change;
    }
    await readOn();
    if (rest !== "") onLine(rest.replace(/\r+$/, ""));
    await end;
  } finally {
    watcher.close();
    await file.close();
  }
}
