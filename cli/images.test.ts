// SPDX-License-Identifier: Apache-2.0
// What is done with images once they are made: updated, compared, exported.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { paths } from "../setup/paths.js";
import { domb } from "./run-domb.js";

let directory: string;
const at = (name: string): string => join(directory, name);
const hello = join(paths.build, "guests", "hello.elf");
const probe = join(paths.build, "guests", "probe.elf");
const linux = join(paths.build, "materials", "vmlinuz");
const ramdisk = join(paths.build, "materials", "busybox.cpio.gz");

function description(web: string): string {
  return [
    "domb: 1",
    "domains:",
    `  storage: { kernel: ${linux}, ramdisk: ${ramdisk}, memory: 128 MiB }`,
    `  web: { kernel: ${hello}, memory: 2 MiB${web} }`,
  ].join("\n");
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "domb-images-"));
  await writeFile(at("old.yaml"), description(""));
  await writeFile(at("new.yaml"), description(", roles: [control], output: xen-log, cmdline: x"));
  for (const name of ["old", "new"]) {
    await domb("build", at(`${name}.yaml`), "-o", at(`${name}.img`));
  }
  await domb("keygen", at("owner"));
});

afterAll(() => rm(directory, { recursive: true }));

describe("domb update", () => {
  it("[RFC-TOOLS] replaces a kernel, and says that the image is to be signed", async () => {
    const words = ["update", at("old.img"), "--domain", "web", "--kernel", probe];
    const { exitCode, stdout } = await domb(...words, "-o", at("next.img"));
    expect(exitCode).toBe(0);
    expect(stdout).toContain("launch version 2");
    expect(stdout).toContain("the main plan is NOT SIGNED: domb sign");
    const { stdout: difference } = await domb("diff", at("old.img"), at("next.img"), "--json");
    const { privileges, domains } = JSON.parse(difference);
    expect(privileges).toEqual({ gained: [], lost: [] });
    expect(domains).toHaveLength(1);
    expect(domains[0].changes.map(({ what }: { what: string }) => what)).toContain("kernel");
  });

  it("signs with a key", async () => {
    const words = ["update", at("old.img"), "--domain", "web", "--cmdline", "y"];
    const signed = await domb(...words, "--key", at("owner.key"), "-o", at("signed.img"));
    expect(signed.stdout).toContain("the main plan is signed");
    const verified = await domb("verify", at("signed.img"), "--key", at("owner.pub"));
    expect(verified.exitCode).toBe(0);
  });

  it("says what it lacks, and leaves the image as it was", async () => {
    const before = await readFile(at("old.img"));
    const nothing = await domb("update", at("old.img"), "--domain", "web");
    expect(nothing).toMatchObject({ exitCode: 2 });
    expect(nothing.stderr).toContain("nothing is to be replaced");
    const unknown = ["update", at("old.img"), "--domain", "wbe", "--cmdline", "x"];
    expect((await domb(...unknown)).stderr).toContain("wanted one of: storage, web");
    const line = await domb("update", at("old.img"), "--domain", "web", "--cmdline", "a\nb");
    expect(line.exitCode).toBe(2);
    expect(before.equals(await readFile(at("old.img")))).toBe(true);
  });
});

describe("domb diff", () => {
  it("tells privileges first, then whose what changed", async () => {
    const { exitCode, stdout } = await domb("diff", at("old.img"), at("new.img"));
    expect(exitCode).toBe(0);
    const lines = stdout.split("\n");
    expect(lines[0]).toBe("privileges");
    expect(lines[1]).toMatch(/^ {2}\+ web may create, change, pause, .* \(role control\)$/);
    expect(stdout).toContain("  output: none → xen-log");
    expect(stdout).not.toContain("domain storage");
  });

  it("finds no difference where there is none", async () => {
    expect((await domb("diff", at("old.img"), at("old.yaml"))).stdout).toBe("The same launch.\n");
  });
});

describe("domb export sbom", () => {
  it("names what is known of domains, materials and files, and what is not", async () => {
    const { exitCode, stdout } = await domb("export", "sbom", at("old.img"));
    expect(exitCode).toBe(0);
    const bom = JSON.parse(stdout);
    const named = (name: string) =>
      bom.components.find((component: { name: string }) => component.name === name);
    expect(named("linux")).toMatchObject({
      version: expect.stringMatching(/^6\.1\./),
      licenses: [{ license: { id: "GPL-2.0-only" } }],
    });
    expect(named("unknown kernel").properties).toContainEqual({
      name: "domb:unknown",
      value: "name, version, licence",
    });
    const files = named("ramdisk").components;
    const busybox = files.find(({ name }: { name: string }) => name === "bin/busybox");
    expect(busybox).toMatchObject({
      version: expect.stringMatching(/^1\.3/),
      hashes: [{ alg: "SHA-256", content: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    });
    const { dependsOn } = bom.dependencies.find(({ ref }: { ref: string }) => ref === "domain:web");
    expect(dependsOn).toContain(named("unknown kernel")["bom-ref"]);
  });

  it("is the same each time, and CycloneDX by its own schema", async () => {
    await domb("export", "sbom", at("old.img"), "-o", at("old.cdx.json"));
    const { stdout } = await domb("export", "sbom", at("old.img"));
    expect(await readFile(at("old.cdx.json"), "utf8")).toBe(stdout);
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    expect(await validator.validate(stdout)).toBeNull();
  });
});
