// SPDX-License-Identifier: Apache-2.0
// Xen's debug keys, typed at the serial port of a running host.

import { connect } from "node:net";

/** Words for Xen's command line with which keys go to Xen, not to a domain. */
export const keysToXen = "conswitch=ax";

/** Types keys. Rejects when nobody listens at the socket. */
export function pressKeys(consoleSocket: string, keys: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(consoleSocket);
    socket.on("error", reject);
    socket.on("close", () => resolve());
    socket.end(keys);
    socket.resume();
  });
}
