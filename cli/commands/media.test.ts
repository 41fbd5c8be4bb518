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
let arm64Image: string;
let output: string;
let count = 0;

/** Runs the command in this process. */
const domb = (words: readonly string[]) => run(makeProgram(), words);

/** A file in the test's folder. */
const here = (name: string): string => join(folder, name);

/** Builds an image of the example hello, with further lines of the description. */
async function build(name: string, ...lines: string[]): Promise<string> {
  return buildOf("hello.elf", name, ...lines);
}

/** Builds an image of one of the test kernels. */
async function buildOf(guest: string, name: string, ...lines: string[]): Promise<string> {
  const kernel = join(paths.checkout, "build", "guests", guest);
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
  arm64Image = await buildOf("arm64/hello.elf", "arm64");
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

describe("domb media --grub --fallback", () => {
  const media = (...words: readonly string[]) => domb(["media", image, "--grub", ...words]);

  it("writes the earlier medium's launch beside the new one, also in its own folder", async () => {
    await media("-o", output, "--xen-option", "console=com1");
    const { exitCode, stdout } = await media("-o", output, "--fallback", output);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`fallback            ${output}, after 3 starts`);
    const menu = await readFile(join(output, "boot/grub/grub.cfg"), "utf8");
    expect(menu.match(/console=com1/g)).toHaveLength(1);
    expect((await readdir(join(output, "boot"))).sort()).toEqual([
      "boot-domain.elf",
      "fallback",
      "grub",
      "launch.domb",
      "xen",
    ]);
    const { stdout: json } = await media("-o", output, "--fallback", output, "--json");
    expect(JSON.parse(json)).toMatchObject({ ok: true, kind: "grub", fallback: output });
  });

  it("refuses an earlier medium that is none, or is damaged, and writes nothing", async () => {
    const earlier = here("earlier");
    expect((await media("-o", output, "--fallback", earlier)).stderr).toContain(
      "earlier/boot/grub/grub.cfg can't be read (ENOENT)",
    );
    await media("-o", earlier);
    await writeFile(join(earlier, "boot/launch.domb"), "no image");
    const { exitCode, stderr } = await media("-o", output, "--fallback", earlier);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("earlier/boot/launch.domb: error DOMB5");
    await expect(readdir(output)).rejects.toThrow();
  });
});

describe("domb media for arm64", () => {
  const uboot = (...words: readonly string[]) =>
    domb(["media", arm64Image, "--uboot", "--board", paths.arm64Board, "-o", output, ...words]);

  it("writes files and a script for U-Boot, and says that nothing checks them", async () => {
    const { exitCode, stdout, stderr } = await uboot("--xen-option", "console=dtuart");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("nothing checks the others");
    const originals = {
      xen: paths.xen("4.17", "arm64"),
      "boot-domain.image": paths.bootDomain("4.17", "arm64"),
      "launch.domb": arm64Image,
      "board.dtb": paths.arm64Board,
    };
    for (const [name, original] of Object.entries(originals)) {
      const written = await readFile(join(output, name));
      expect(Buffer.compare(written, await readFile(original))).toBe(0);
    }
    expect((await readdir(output)).sort()).toEqual(
      [...Object.keys(originals), "boot.cmd", "boot.scr"].sort(),
    );
    expect(await readFile(join(output, "boot.cmd"), "utf8")).toMatch(
      /bootargs ".* console=dtuart"/,
    );
  });

  it("writes one signed file for U-Boot with a key, its control tree, and the same again", async () => {
    const first = await uboot(...placed(signing), "--json");
    const document = JSON.parse(first.stdout);
    expect(document).toMatchObject({ ok: true, kind: "uboot", signed: true });
    const names = ["boot.cmd", "boot.scr", "control.dtb", "launch.itb"];
    expect((await readdir(output)).sort()).toEqual(names);
    expect(JSON.parse((await uboot(...placed(signing), "--json")).stdout)).toEqual(document);
  });

  it("writes the file for EFI firmware of arm64, with the board's device tree if it is given", async () => {
    const words = ["media", arm64Image, "--efi", "-o", output];
    const program = async (...more: readonly string[]) => {
      expect((await domb([...words, ...more])).exitCode).toBe(0);
      return readPe(await readFile(join(output, "EFI/BOOT/BOOTAA64.EFI")));
    };
    const names = (await program("--board", paths.arm64Board, ...placed(signing)))?.sections.map(
      ({ name }) => name,
    );
    expect(names).toEqual([".text", ".config", ".dtb", ".kernel", ".ramdisk"]);
    expect((await program())?.sections.map(({ name }) => name)).not.toContain(".dtb");
  });

  it("takes a boot domain that trusts keys", async () => {
    const built = paths.bootDomain("4.17", "arm64");
    await domb(["keygen", here("owner")]);
    const trust = ["trust", "--key", here("owner.pub"), "--boot-domain", built];
    expect((await domb([...trust, "-o", here("trusting")])).exitCode).toBe(0);
    expect((await uboot("--boot-domain", here("trusting"))).exitCode).toBe(0);
    const written = await readFile(join(output, "boot-domain.image"));
    expect(Buffer.compare(written, await readFile(here("trusting")))).toBe(0);
    expect(Buffer.compare(written, await readFile(built))).not.toBe(0);
  });

  it.each([
    ["GRUB", ["--grub"], "--grub does not go with"],
    ["U-Boot without a board", ["--uboot"], "none is given"],
    ["a board that is none", ["--uboot", "--board", "test.pem"], "error DOMB3101"],
    ["a boot domain of x86-64", ["--efi", "--boot-domain", paths.bootDomain()], "no arm64 Image"],
  ])("is refused with 2 for %s, and writes nothing", async (_, words, message) => {
    const { exitCode, stderr } = await domb(["media", arm64Image, "-o", output, ...placed(words)]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(message) });
    await expect(readdir(output)).rejects.toThrow();
  });
});

describe("domb media", () => {
  it.each([
    ["says nothing of what boots it", [], "what boots the medium is not said"],
    ["says two of them", ["--efi", "--grub"], "cannot be used with"],
    ["says other two of them", ["--uboot", "--grub"], "cannot be used with"],
    [
      "wants an x86-64 launch from U-Boot",
      ["--uboot", "--board", paths.arm64Board],
      "--uboot does not go with",
    ],
    [
      "gives a board of arm64 for x86-64",
      ["--efi", "--board", paths.arm64Board],
      "--board does not go with",
    ],
    ["gives a key alone", ["--efi", "--sign-key", "test.key"], "without --sign-cert"],
    ["gives a certificate alone", ["--efi", "--sign-cert", "test.pem"], "without --sign-key"],
    ["falls back without GRUB", ["--efi", "--fallback", "."], "--fallback is for --grub alone"],
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
