// SPDX-License-Identifier: Apache-2.0
// Unpacks xz by the library, bounded in size.

import xzDecompress from "xz-decompress";

/** Unpacks at most `size` bytes; rejects when the data is damaged or holds more. */
export async function unpackXz(packed: Uint8Array, size: number): Promise<Uint8Array> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(packed);
      controller.close();
    },
  });
  const output = new Uint8Array(size);
  let length = 0;
  for await (const chunk of new xzDecompress.XzReadableStream(source)) {
    if (length + chunk.length > size) throw new Error(`more than ${size} bytes`);
    output.set(chunk, length);
    length += chunk.length;
  }
  return output.subarray(0, length);
}
