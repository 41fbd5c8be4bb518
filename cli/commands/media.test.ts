// SPDX-License-Identifier: Apache-2.0
// `domb media` as a person or a script uses it: what it writes, and how it refuses.

import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { readPe } from "../../media/pe.js";
import { paths } from "../../setup/paths.js";
import { makeProgram } from "../program.js";
import { run } from "../run-domb.js";

const policy = paths.xenPolicy();

let folder: string;
let image: string;
let imageForPolicy: string;
let output: string;
let count = 0;

/** Runs the command in this process. */
const domb = (words: readonly string[]) => run(makeProgram(), words);

/** A file in the test's folder. */
const here = (name: string): string => join(folder, name);

/** Builds an image of the example hello, with further lines of the description. */
async function build(name: string, ...lines: string[]): Promise<string> {
  const kernel = join(paths.checkout, "build", "guests", "hello.elf");
  const description = [
    "domb: 1",
    "domains:",
    `  hello: { kernel: "${kernel}", memory: 64 MiB }`,
    ...lines,
  ];
  await writeFile(here(`${name}.yaml`), `${description.join("\n")}\n`);
  const built = await domb(["build", here(`${name}.yaml`), "-o", here(`${name}.img`)]);
  if (built.exitCode !== 0) throw new Error(built.stderr);
  return here(`${name}.img`);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-media-command-"));
  image = await build("plain");
  imageForPolicy = await build("policy", `policy: { xsm: "${policy}" }`);
  await execa("openssl", [
    ...["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-subj", "/CN=test", "-days", "3650"],
    ...["-keyout", here("test.key"), "-out", here("test.pem")],
  ]);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
});
beforeEach(() => {
  output = here(`medium-${count++}`);
});

/** Words in which the test's own files are named by their place. */
const placed = (words: readonly string[]): string[] =>
  words.map((word) => (/^test\.(key|pem)$/.test(word) ? here(word) : word));

const signing = ["--sign-key", "test.key", "--sign-cert", "test.pem"];

describe("domb media --efi", () => {
  it("writes one signed file, says what it wrote, and the same again", async () => {
    const make = (place: string) =>
      domb(["media", image, "--efi", "-o", place, ...placed(signing), "--json"]);
    const { exitCode, stdout, stderr } = await make(output);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ schema: "domb.media/1", ok: true, kind: "efi", signed: true });
    expect(document.xenCommandLine).toMatch(/^boot-domain=\d+M /);
    expect(await readdir(output, { recursive: true })).toHaveLength(3);
    expect(document.files[0].path).toBe(join(output, "EFI/BOOT/BOOTX64.EFI"));
    const again = JSON.parse((await make(`${output}-again`)).stdout);
    expect(again.files[0].digest).toBe(document.files[0].digest);
  });

  it("takes another boot domain and Xen's options, and says that nothing is signed", async () => {
    const other = join(paths.checkout, "build", "guests", "hello.elf");
    const words = ["--boot-domain", other, "--xen-option", "console=com1"];
    const { exitCode, stdout } = await domb(["media", image, "--efi", "-o", output, ...words]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("not signed: Secure Boot refuses it");
    const program = await readFile(join(output, "EFI/BOOT/BOOTX64.EFI"));
    expect(program.includes(await readFile(other))).toBe(true);
    expect(program.includes(await readFile(paths.bootDomain()))).toBe(false);
    expect(program.includes("console=com1\n")).toBe(true);
  });

  it("wants the policy that the image is for, and no other", async () => {
    const words = ["media", imageForPolicy, "--efi", "-o", output];
    const without = await domb(words);
    expect(without.exitCode).toBe(2);
    expect(without.stderr).toContain("is for the FLASK policy with SHA-256");
    const wrong = await domb([...words, "--xsm", here("test.pem")]);
    expect(wrong.exitCode).toBe(2);
    expect((await domb([...words, "--xsm", policy])).exitCode).toBe(0);
    const pe = readPe(await readFile(join(output, "EFI/BOOT/BOOTX64.EFI")));
    expect(pe?.sections.map(({ name }) => name)).toContain(".xsm");
  });

  it("names the package of a program that is missing, and exits with 3", async () => {
    const programs = here("programs");
    await rm(programs, { recursive: true, force: true });
    await execa("mkdir", [programs]);
    const { stdout: objcopy } = await execa("which", ["objcopy"]);
    await symlink(objcopy, join(programs, "objcopy"));
    const words = ["media", image, "--efi", "-o", output, ...placed(signing)];
    vi.stubEnv("PATH", programs);
    const { exitCode, stderr } = await domb(words);
    expect(exitCode).toBe(3);
    expect(stderr).toBe(
      "domb: osslsigncode is missing\n  fix: Run: apt-get install osslsigncode\n",
    );
    await expect(readdir(output)).rejects.toThrow();
  });
});

describe("domb media --grub", () => {
  it("writes Xen, the modules and a menu", async () => {
    const { exitCode, stdout } = await domb(["media", image, "--grub", "-o", output]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("nothing checks them");
    const place = join(output, "boot");
    for (const [name, original] of Object.entries({ "launch.domb": image, xen: paths.xen() })) {
      const written = await readFile(join(place, name));
      expect(Buffer.compare(written, await readFile(original))).toBe(0);
    }
    expect((await readdir(place)).sort()).toEqual([
      "boot-domain.elf",
      "grub",
      "launch.domb",
      "xen",
    ]);
  });
});

describe("domb media", () => {
  it.each([
    ["says neither --efi nor --grub", [], "what boots the medium is not said"],
    ["says both", ["--efi", "--grub"], "cannot be used with"],
    ["gives a key alone", ["--efi", "--sign-key", "test.key"], "without --sign-cert"],
    ["gives a certificate alone", ["--efi", "--sign-cert", "test.pem"], "without --sign-key"],
    ["signs for GRUB", ["--grub", ...signing], "--grub media are not signed"],
    [
      "swaps key and certificate",
      ["--efi", "--sign-key", "test.pem", "--sign-cert", "test.key"],
      "holds no private key",
    ],
    [
      "names a key that is not there",
      ["--efi", "--sign-key", "no", "--sign-cert", "test.pem"],
      "no can't be read (ENOENT)",
    ],
    ["gives what is no ELF file", ["--efi", "--boot-domain", "test.pem"], "is no 64-bit ELF file"],
    ["gives two options as one", ["--grub", "--xen-option", "a b"], "Xen's option"],
  ])("is refused with 2 when it %s, and writes nothing", async (_, words, message) => {
    const { exitCode, stderr } = await domb(["media", image, "-o", output, ...placed(words)]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(message) });
    await expect(readdir(output)).rejects.toThrow();
  });

  it("refuses a damaged image with its diagnostic, also as JSON", async () => {
    const damaged = await readFile(image);
    await writeFile(here("damaged.img"), damaged.subarray(0, damaged.length - 1));
    const words = ["media", here("damaged.img"), "--grub", "-o", output, "--json"];
    const { exitCode, stdout } = await domb(words);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, diagnostics: [{ severity: "error" }] });
  });

  it("says where it can't write", async () => {
    const { exitCode, stderr } = await domb(["media", image, "--grub", "-o", here("test.pem")]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("test.pem can't be written (EEXIST)");
  });
});
