// SPDX-License-Identifier: Apache-2.0
// How a domain can end, by the names that people write.

import * as abi from "../contract/xen-abi.js";

/** SHUTDOWN_* by name. */
export const shutdownReasons = {
  poweroff: abi.SHUTDOWN_poweroff,
  reboot: abi.SHUTDOWN_reboot,
  suspend: abi.SHUTDOWN_suspend,
  crash: abi.SHUTDOWN_crash,
  watchdog: abi.SHUTDOWN_watchdog,
  soft_reset: abi.SHUTDOWN_soft_reset,
} as const;

export type ShutdownReason = keyof typeof shutdownReasons;

/** A way to end in words, or its number where it has no name. */
export function shutdownName(reason: number): string {
  const entry = Object.entries(shutdownReasons).find(([, number]) => number === reason);
  if (entry !== undefined) return entry[0];
  return reason === 0xffffffff ? "destroyed by another domain" : String(reason);
}
