// SPDX-License-Identifier: Apache-2.0
// What tests of order and failure need: launches of guests/ready, which do what their command lines
// say, and their receipts.

import type { CompiledLaunch } from "../../compiler/compile.js";
import type { DomainInput, LaunchInput } from "../../compiler/description/define-launch.js";
import { HEADERS_END } from "../../contract/image.js";
import { guestKernel } from "../../guests/build.js";
import type { Architecture } from "../../setup/paths.js";
import {
  type DomainReceipt,
  parseReceiptLines,
  type Receipt,
  type ReceiptPart,
} from "../../xen-model/receipt.js";
import type { BootRequest } from "../boot.js";
import { type Booted, booted, compiled } from "../lab-bench.js";

/** Enough for small domains; less to scrub is less to wait for. */
const hostMemoryBytes = 256 * 0x100000;

/** A domain that does what the words say, in their order: guests/ready/ready.c. */
export function doing(
  architecture: Architecture,
  cmdline: string,
  more: Partial<DomainInput> = {},
): DomainInput {
  const kernel = guestKernel("ready", architecture);
  return { kernel, cmdline, memory: "16 MiB", output: "xen-log", ...more };
}

/** Compiles a launch of these domains. */
export function compiledOrder(domains: LaunchInput["domains"]): Promise<CompiledLaunch> {
  return compiled({ domb: 1, domains });
}

/** A launch that was booted, with its receipt. */
export interface BootedOrder extends Booted {
  readonly receipt: Receipt;
  /** Pages that are free once the boot domain is gone. */
  readonly freePages: number;
}

/** Boots a launch; whatever its end, the boot domain must have written a receipt. */
export async function bootedOrder(
  { image, xenCommandLine }: Pick<CompiledLaunch, "image" | "xenCommandLine">,
  more: Partial<BootRequest> = {},
): Promise<BootedOrder> {
  const launch = await booted(image, xenCommandLine, { hostMemoryBytes, ...more });
  const receipt = parseReceiptLines(launch.outcome.receiptLines);
  if (receipt === undefined) throw new Error(`no receipt: ${launch.outcome.reason}`);
  const [, free] = /pages returned, (\d+) pages free/.exec(launch.xenLog) ?? [];
  return { ...launch, receipt, freePages: Number(free) };
}

/** What became of a domain. */
export function domainIn({ domains }: ReceiptPart, name: string): DomainReceipt {
  const found = domains.find((domain) => domain.name === name);
  if (found === undefined) throw new Error(`no domain ${name} in the receipt`);
  return found;
}

/** States of the domains, by name. */
export function statesIn({ domains }: ReceiptPart): Record<string, string> {
  return Object.fromEntries(domains.map(({ name, state }) => [name, state]));
}

/** Milliseconds between two times of a receipt. */
export function millisecondsBetween(
  { clockKilohertz }: ReceiptPart,
  from: number,
  to: number,
): number {
  return (to - from) / clockKilohertz;
}

/** An image that is refused before anything is created: what the host has free then. */
export function refused(image: Uint8Array): Uint8Array {
  const damaged = image.slice();
  damaged[HEADERS_END] = (damaged[HEADERS_END] ?? 0) ^ 1;
  return damaged;
}
