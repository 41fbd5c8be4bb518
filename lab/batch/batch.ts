// SPDX-License-Identifier: Apache-2.0
// Runs many launches on one running Xen: builds the batch's boot domain, puts the cases into its
// module, boots it and reads what each case left.

import { join } from "node:path";
import { objectFolder } from "../../bootdomain/build.js";
import { stackOf } from "../../bootdomain/stack.js";
import { MACHINE_ARM64, MACHINE_X86_64 } from "../../contract/image.js";
import { BOOT_DOMID, PAGE_SIZE } from "../../contract/limits.js";
import { TrustRecord } from "../../contract/trust.js";
import { type Architecture, paths } from "../../setup/paths.js";
import type { SuiteCase } from "../../simulator/suite.js";
import { hypercallNames } from "../../xen-model/hypercalls.js";
import { bootDomainBytes } from "../../xen-model/memory.js";
import { decodeReceipt, type Receipt } from "../../xen-model/receipt.js";
import { buildAltered, withBootDomain } from "../altered-boot-domain.js";
import { booted } from "../lab-bench.js";
import { parseLogLine } from "../xen-log.js";

/** What one case left on real Xen. */
export interface BatchResult {
  readonly receipt: Receipt;
  /** Whether the boot domain asked for its exit. */
  readonly exited: boolean;
  readonly hypercalls: number;
  /** domids of the domains that were running at its end, in ascending order. */
  readonly running: readonly number[];
  /** Pages of the host that are missing after every domain is gone. */
  readonly lostPages: number;
}

/** What a batch left. */
export interface Batch {
  /** In the order of the cases. */
  readonly results: readonly BatchResult[];
  /** Bytes of stack that the batch's boot domain used, and its upper bound. */
  readonly stack: { readonly used: number; readonly bound: number };
  /** What domains that were launched wrote to Xen's log, in all cases together. */
  readonly guestLines: readonly string[];
}

const MAGIC = 0x68637462;
const HEADER_BYTES = 20;
const CASE_BYTES = 24;
const FAULT_BYTES = 16;
/** No limit on the host's free pages but what the host has. */
const ANY_PAGES = 0xffffffff;

/**
 * Header, cases, faults, trust of each case, then each different image at a page of its own. The
 * header has the machine where an image's has it, which tells the lab which host it is for.
 */
function encodeBatch(
  cases: readonly SuiteCase[],
  roomPages: number,
  architecture: Architecture,
): Uint8Array {
  const faults = cases.flatMap((one) => one.faults);
  const trusts = HEADER_BYTES + cases.length * CASE_BYTES + faults.length * FAULT_BYTES;
  const tables = trusts + cases.length * TrustRecord.size;
  const pagesOf = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
  const offsets = new Map<Uint8Array, number>();
  let end = pagesOf(tables);
  for (const { image } of cases) {
    if (offsets.has(image)) continue;
    offsets.set(image, end);
    end += pagesOf(image.length);
  }
  const module = new Uint8Array(end);
  const view = new DataView(module.buffer);
  let at = 0;
  const put = (...numbers: readonly number[]): void => {
    for (const number of numbers) {
      view.setUint32(at, number >>> 0, true);
      at += 4;
    }
  };
  const machine = architecture === "arm64" ? MACHINE_ARM64 : MACHINE_X86_64;
  put(MAGIC, cases.length, machine, faults.length, roomPages);
  let firstFault = 0;
  for (const [index, { image, freePages, faults, trust }] of cases.entries()) {
    const free = freePages < roomPages ? freePages : ANY_PAGES;
    const trustOffset = trusts + index * TrustRecord.size;
    module.set(trust ?? new Uint8Array(TrustRecord.size), trustOffset);
    put(offsets.get(image) ?? 0, image.length, free, firstFault, faults.length, trustOffset);
    firstFault += faults.length;
  }
  for (const { hypercall, occurrence, answer, done } of faults) {
    put(hypercallNames.indexOf(hypercall), occurrence, answer, done);
  }
  for (const [image, offset] of offsets) module.set(image, offset);
  return module;
}

function parseResults(lines: readonly string[]): BatchResult[] {
  const results: BatchResult[] = [];
  let receipt = "";
  let exited = true;
  for (const line of lines) {
    const [, kind, rest = ""] = /^batch: (receipt|no exit|case|lost pages)(.*)$/.exec(line) ?? [];
    if (kind === "receipt") receipt += rest.trim();
    if (kind === "no exit") exited = false;
    if (kind === "lost pages") {
      const last = results.pop();
      if (last !== undefined) results.push({ ...last, lostPages: Number(rest) });
    }
    if (kind !== "case") continue;
    const [, hypercalls = "", running = ""] = /hypercalls (\d+) running(.*)$/.exec(rest) ?? [];
    results.push({
      receipt: decodeReceipt(Buffer.from(receipt, "hex")),
      exited,
      hypercalls: Number(hypercalls),
      running: (running.match(/\d+/g) ?? []).map(Number).sort((a, b) => a - b),
      lostPages: 0,
    });
    receipt = "";
    exited = true;
  }
  return results;
}

/** The host that runs a batch. */
interface BatchHost {
  /** What it has free for a case at most, exact to the page; 0: all of its memory. */
  readonly roomPages: number;
  readonly hostMemoryBytes: number;
  /** Default: x86-64. */
  readonly architecture?: Architecture;
}

/** Runs the cases on real Xen, in their order. Throws when Xen does not come to the end. */
export async function runBatch(
  cases: readonly SuiteCase[],
  { roomPages, hostMemoryBytes, architecture = "x86_64" }: BatchHost,
): Promise<Batch> {
  const module = encodeBatch(cases, roomPages, architecture);
  const kernel = await buildAltered("batch", "lab/batch/batch.c", [], architecture);
  return withBootDomain(kernel, async () => {
    const mebibytes = bootDomainBytes(module.length) / 0x100000;
    const { outcome, xenLog } = await booted(
      module,
      `boot-domain=${mebibytes}M,timeout=0 guest_loglvl=all`,
      {
        hostMemoryBytes,
        timeLimitSeconds: 1500,
      },
    );
    const lines: string[] = [];
    const guestLines: string[] = [];
    for (const line of xenLog.split("\n")) {
      const parsed = parseLogLine(line);
      if (parsed === undefined || parsed.from === "xen") continue;
      (parsed.from.domid === BOOT_DOMID ? lines : guestLines).push(parsed.text);
    }
    const results = parseResults(lines);
    if (results.length !== cases.length) {
      const last = lines.slice(-5).join("\n");
      throw new Error(
        `${results.length} of ${cases.length} launches ran: ${outcome.reason}\n${last}`,
      );
    }
    const stack = lines.map((line) => /^batch: stack (\d+)$/.exec(line)?.[1]).find(Boolean);
    const own = objectFolder(join(paths.build, "bootdomain"), architecture);
    const beside = (ending: string): string => kernel.replace(/\w+$/, ending);
    const usage = [join(own, "domb.su"), beside("su")];
    const bound = await stackOf("start", beside("elf"), usage, architecture);
    return { results, guestLines, stack: { used: Number(stack), bound } };
  });
}
