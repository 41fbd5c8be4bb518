// SPDX-License-Identifier: Apache-2.0
// One set-up at a time, and no lock outlives who holds it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeLock } from "./lock.js";
import { INTERRUPTED } from "./outcome.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

const signal = new AbortController().signal;
const never = () => expect.unreachable("waited for a free lock");

async function take(onWait: (holder: string) => void, until = signal) {
  return takeLock(join(folder, "lock"), { onWait, signal: until });
}

test("a second set-up waits, is told for whom, and goes on when the first lets go", async () => {
  const first = await take(never);
  if (!first.ok) throw new Error(first.failure.what);
  const holders: string[] = [];
  const second = await take((holder) => {
    holders.push(holder);
    first.value.release();
  });
  if (!second.ok) throw new Error(second.failure.what);
  expect(holders).toEqual([String(process.pid)]);
  second.value.release();
});

test("waiting can be interrupted, and leaves the lock with its holder", async () => {
  const first = await take(never);
  if (!first.ok) throw new Error(first.failure.what);
  for (const _ of [1, 2]) {
    const interruption = new AbortController();
    expect(await take(() => interruption.abort(), interruption.signal)).toBe(INTERRUPTED);
  }
  first.value.release();
});

test("a holder that is killed holds the lock no more", async () => {
  const script = `
    const { takeLock } = await import(${JSON.stringify(join(import.meta.dirname, "lock.js"))});
    const signal = new AbortController().signal;
    await takeLock(${JSON.stringify(join(folder, "lock"))}, { onWait() {}, signal });
    console.log("held");
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", script]);
  await once(holder.stdout, "data");
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const lock = await take(never);
  if (!lock.ok) throw new Error(lock.failure.what);
  lock.value.release();
});
