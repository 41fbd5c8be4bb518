// SPDX-License-Identifier: Apache-2.0
// `domb simulate` on the machine that an image is for.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { launchOfFile } from "../simulator/suite/launch-files.js";
import { domb } from "./run-domb.js";

let image: string;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "domb-cli-"));
  image = join(directory, "launch.img");
  await writeFile(image, (await launchOfFile("simulator/launches/pair.yaml", "arm64")).image);
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe("domb simulate with an image for arm64", () => {
  it("starts its domains on an arm64 host", async () => {
    const { exitCode, stdout } = await domb("simulate", image, "--trace");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/populate:1 d1 gfn 0x40000, 1 extents of order 9 → 1\n/);
    expect(stdout).toMatch(/setContext:1 d1 vCPU 0\n/);
    expect(stdout).toMatch(/second +2 +started/);
  });

  it("fails as Xen's Arm half does", async () => {
    const { exitCode, stdout } = await domb("simulate", image, "--fault", "createDomain:2=ENODEV");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/status +hypercall: step 2, .* error ENODEV/);
  });

  it("changes it the same way each time with --seed, on the same host", async () => {
    const [one, same] = [
      await domb("simulate", image, "--seed", "3"),
      await domb("simulate", image, "--seed", "3"),
    ];
    expect(one.stdout).toMatch(/^changes\n {2}\S/);
    expect(same.stdout).toBe(one.stdout);
  });
});
