// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadDescription } from "../../compiler/description/load-description.js";
import { FIRST_DESCRIPTION, initLaunch, registerInit } from "./init.js";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "domb-init-"));
});

afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  await chmod(directory, 0o700);
  await rm(directory, { recursive: true });
});

async function run(...words: string[]): Promise<{ stdout: string; stderr: string }> {
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    });
  }
  const program = new Command();
  registerInit(program);
  await program.parseAsync(["init", ...words], { from: "user" });
  return written;
}

describe("domb init", () => {
  it("writes a description that is right as it is", async () => {
    const outcome = await initLaunch(join(directory, "new", "host"));
    expect(outcome).toEqual({ ok: true, path: join(directory, "new", "host", "launch.yaml") });
    const result = await loadDescription(join(directory, "new", "host", "launch.yaml"));
    expect(result.diagnostics).toEqual([]);
    expect(result.ok && result.value.domains).toMatchObject([
      { name: "web", domid: 1, output: "xen-log", kernel: join(directory, "new/host/vmlinuz") },
      { name: "storage", domid: 5, output: "xen-log", memoryBytes: 2 ** 28 },
    ]);
  });

  it("leaves a file that is there as it is, and exits with 2", async () => {
    await writeFile(join(directory, "launch.yaml"), "mine");
    const { stdout, stderr } = await run(directory);
    expect(stdout).toBe("");
    expect(stderr).toContain("is already there, and is left as it is");
    expect(stderr).toContain("fix: ");
    expect(process.exitCode).toBe(2);
    expect(await readFile(join(directory, "launch.yaml"), "utf8")).toBe("mine");
  });

  it("says where no directory can be made", async () => {
    await writeFile(join(directory, "file"), "");
    const outcome = await initLaunch(join(directory, "file"));
    expect(outcome).toMatchObject({
      ok: false,
      message: expect.stringContaining("can't be written"),
    });
  });

  it("prints what to do next", async () => {
    const { stdout } = await run(directory);
    expect(stdout).toContain(`domb check ${join(directory, "launch.yaml")}`);
    expect(process.exitCode).toBeUndefined();
    expect(await readFile(join(directory, "launch.yaml"), "utf8")).toBe(FIRST_DESCRIPTION);
  });

  it("prints one JSON document when asked for", async () => {
    const path = join(directory, "launch.yaml");
    const first = await run(directory, "--json");
    expect(JSON.parse(first.stdout)).toEqual({ schema: "domb.init/1", ok: true, path });
    const second = await run(directory, "--json");
    expect(JSON.parse(second.stdout)).toMatchObject({ schema: "domb.init/1", ok: false });
    expect(process.exitCode).toBe(2);
  });
});
