// SPDX-License-Identifier: Apache-2.0
// Programs of a preparation: logged, and ended with all their children by an interruption.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type SetUp, withLog } from "./child.js";
import { takeLock } from "./lock.js";
import { describeFailure, INTERRUPTED } from "./outcome.js";

let cache = "";
const endings: string[] = [];
const interruption = { controller: new AbortController() };
let setUp: SetUp;
let release: () => void;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "domb-child-"));
  endings.length = 0;
  interruption.controller = new AbortController();
  const { signal } = interruption.controller;
  const lock = await takeLock(join(cache, "lock"), { onWait: () => {}, signal });
  if (!lock.ok) throw new Error(lock.failure.what);
  release = lock.value.release;
  setUp = {
    cache,
    environment: process.env,
    assumeYes: false,
    progress: { line: () => {}, begin: () => ({ end: (result) => endings.push(result) }) },
    signal,
    lockFile: lock.value.file,
  };
});
afterEach(async () => {
  release();
  await rm(cache, { recursive: true });
});

const step = { title: "trying", log: "trial" };

/** The command line of a process as Linux shows it; empty when it has ended. */
async function commandLine(pid: string): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
}

test("output of both kinds is in the log, with the command", async () => {
  const outcome = await withLog(setUp, step, (run) =>
    run("sh", ["-c", "echo out; echo err >&2; echo $word"], { env: { word: "env" } }),
  );
  expect(outcome.ok).toBe(true);
  const log = await readFile(join(cache, "log", "trial.log"), "utf8");
  expect(log).toBe("$ sh -c echo out; echo err >&2; echo $word\nout\nerr\nenv\n");
  expect(endings).toEqual(["done"]);
});

test("a failure names command, code, log and the log's end", async () => {
  const outcome = await withLog(setUp, step, (run) => run("sh", ["-c", "echo why; exit 7"]));
  if (outcome.ok) throw new Error("did not fail");
  expect(describeFailure(outcome.failure)).toBe(
    [
      "trying failed: `sh -c echo why; exit 7` ended with code 7",
      "  | $ sh -c echo why; exit 7",
      "  | why",
      `log: ${join(cache, "log", "trial.log")}`,
    ].join("\n"),
  );
  expect(outcome.failure.exitCode).toBe(3);
});

test("a program that is not there is a failure too", async () => {
  const outcome = await withLog(setUp, step, (run) => run("domb-no-such-program", []));
  expect(outcome).toMatchObject({ ok: false, failure: { exitCode: 3 } });
});

/** Waits until the program's log holds what it prints when it is ready; gives its last word. */
async function whenReady(): Promise<string> {
  const log = join(cache, "log", "trial.log");
  for (;;) {
    const text = existsSync(log) ? await readFile(log, "utf8") : "";
    const word = /^ready (\w+)$/m.exec(text)?.[1];
    if (word !== undefined) return word;
    await new Promise(setImmediate);
  }
}

test("an interruption ends a program that ignores it, and its children", async () => {
  const script = "trap '' TERM; sleep 1000 & echo ready $!; wait; wait";
  const work = withLog(setUp, step, (run) => run("sh", ["-c", script]));
  const child = await whenReady();
  interruption.controller.abort();
  expect(await work).toBe(INTERRUPTED);
  // The kernel may take a moment to end it; if it never does, the test's time limit tells.
  while ((await commandLine(child)).includes("sleep")) await new Promise(setImmediate);
  expect(endings).toEqual(["interrupted"]);
});

test("a patient program is asked to end and waited for", async () => {
  const script = "trap 'echo tidy; exit 0' INT; echo ready now; while :; do sleep 0.01; done";
  const work = withLog(setUp, step, (run) => run("sh", ["-c", script], { patient: true }));
  await whenReady();
  interruption.controller.abort();
  expect(await work).toBe(INTERRUPTED);
  expect(await readFile(join(cache, "log", "trial.log"), "utf8")).toContain("tidy");
});

test("a program ends when the set-up is killed", async () => {
  const script = `
    const { withLog } = await import(${JSON.stringify(join(import.meta.dirname, "child.js"))});
    const progress = { line() {}, begin: () => ({ end() {} }) };
    const signal = new AbortController().signal;
    const setUp = { cache: process.argv[1], environment: process.env, progress, signal, lockFile: 2 };
    const sleep = "echo ready $$; exec sleep 1000";
    await withLog(setUp, { title: "trying", log: "trial" }, (run) => run("sh", ["-c", sleep]));`;
  const killed = spawn(process.execPath, ["--input-type=module", "-e", script, cache]);
  const pid = await whenReady();
  killed.kill("SIGKILL");
  while ((await commandLine(pid)).includes("sleep")) await new Promise(setImmediate);
  expect(killed.signalCode ?? (await once(killed, "exit"))[1]).toBe("SIGKILL");
});

test("after an interruption nothing more is started", async () => {
  interruption.controller.abort();
  expect(await withLog(setUp, step, (run) => run("sh", ["-c", "echo ran"]))).toBe(INTERRUPTED);
  expect(await readFile(join(cache, "log", "trial.log"), "utf8")).toBe("");
});
