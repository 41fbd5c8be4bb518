// SPDX-License-Identifier: Apache-2.0
// `domb report`, as its users call it.

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chain, two } from "../report/example-launches.js";
import { paths } from "../setup/paths.js";
import { simulated } from "../simulator/simulated-bench.js";
import { formatReceipt } from "../xen-model/receipt-document.js";
import { domb } from "./run-domb.js";

let directory: string;
const at = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "domb-report-"));
  const { bytes, receipt } = await simulated(chain, { faults: ["populate:2=ENOMEM"] });
  await writeFile(at("launch.img"), bytes);
  await writeFile(at("receipt.json"), formatReceipt(receipt));
  await writeFile(at("other.img"), (await simulated(two)).bytes);
});
afterAll(() => rm(directory, { recursive: true }));

describe("domb report", () => {
  it("draws the launch of a receipt as text, with what failed", async () => {
    const { exitCode, stdout, stderr } = await domb(
      ...["report", at("launch.img"), "--receipt", at("receipt.json")],
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^launch\.img: failed after .*: Xen refused to give memory to /);
    expect(stdout).toContain(`domb simulate ${at("launch.img")} --fault populate:2=ENOMEM`);
  });

  it("draws without a receipt the launch as the simulator makes it, of a description too", async () => {
    const image = await domb("report", at("launch.img"));
    expect(image.exitCode).toBe(0);
    expect(image.stdout).toMatch(
      /^launch\.img: success in .* in the simulator: 3 of 3 domains run$/m,
    );
    const description = join(paths.checkout, "examples", "hello", "launch.yaml");
    const drawn = await domb("report", description);
    expect(drawn.stdout).toMatch(/^launch\.yaml: success in .* in the simulator/m);
  });

  it("writes the page whole, in place of an earlier one", async () => {
    for (const source of ["launch.img", "other.img"]) {
      const { exitCode, stdout } = await domb("report", at(source), "-o", at("report.html"));
      expect(exitCode).toBe(0);
      expect(stdout).toBe(`${at("report.html")} is written\n`);
      const page = await readFile(at("report.html"), "utf8");
      expect(page).toMatch(/^<!DOCTYPE html>/);
      expect(page).toContain(`<title>${source}: launch report</title>`);
      expect(page).toMatch(/<\/html>\n$/);
    }
    const left = (await readdir(directory)).filter((name) => name.startsWith("report.html"));
    expect(left).toEqual(["report.html"]);
  });

  it("refuses to write over what it reads", async () => {
    for (const name of ["launch.img", "receipt.json"]) {
      const before = await readFile(at(name));
      const { exitCode, stderr } = await domb(
        ...["report", at("launch.img"), "--receipt", at("receipt.json"), "-o", at(name)],
      );
      expect(exitCode).toBe(2);
      expect(stderr).toContain(`${at(name)} can't be written (the launch is made of it)`);
      expect(await readFile(at(name))).toEqual(before);
    }
  });

  it("prints the report's data with --json", async () => {
    const { exitCode, stdout } = await domb(
      ...["report", at("launch.img"), "--receipt", at("receipt.json"), "--json"],
    );
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ schema: "domb.report/1", source: "receipt", outcome: "failed" },
      image: { file: "launch.img", version: 4 },
      runs: [{ plan: "main", status: "hypercall", failures: [{ error: "ENOMEM" }] }],
    });
  });

  it("refuses what is no receipt, and one of another launch", async () => {
    await writeFile(at("none.json"), "{}");
    const codeOf = async (image: string, receipt: string): Promise<string> => {
      const answer = await domb(...["report", at(image), "--receipt", at(receipt), "--json"]);
      expect(answer.exitCode).toBe(2);
      const document = JSON.parse(answer.stdout);
      expect(document).toMatchObject({ schema: "domb.report/1", ok: false });
      return document.diagnostics[0].code;
    };
    expect(await codeOf("launch.img", "none.json")).toBe("DOMB6031");
    expect(await codeOf("other.img", "receipt.json")).toBe("DOMB6032");
    const { stderr } = await domb("report", at("other.img"), "--receipt", at("receipt.json"));
    expect(stderr).toContain("its main plan has the digest");
  });

  it("refuses an image that can't be read, with the diagnostics of the image", async () => {
    await writeFile(at("damaged.img"), (await readFile(at("launch.img"))).subarray(0, 0x5000));
    const { exitCode, stderr } = await domb("report", at("damaged.img"));
    expect(exitCode).toBe(2);
    expect(stderr).toContain("DOMB500");
  });

  it("asks for the key of an image that must be verified, and then draws it", async () => {
    await domb("keygen", at("owner"));
    await writeFile(
      at("signed.yaml"),
      `domb: 1\ndomains: { one: { kernel: ${join(paths.build, "guests", "hello.elf")}, memory: 16 MiB } }\n`,
    );
    await domb("build", at("signed.yaml"), "--key", at("owner.key"), "-o", at("signed.img"));
    const without = await domb("report", at("signed.img"));
    expect(without.exitCode).toBe(2);
    expect(without.stderr).toContain("--trust");
    const { exitCode, stdout } = await domb(
      ...["report", at("signed.img"), "--trust", at("owner.pub"), "--json"],
    );
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: "success", runs: [{ verifiedBy: 1 }] });
  });
});
