// SPDX-License-Identifier: Apache-2.0
// Boot media as files: what is in them, that the same parts give the same bytes, and that a folder
// never holds a part of one. lab/boot-media boots them.

import { X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { paths } from "../setup/paths.js";
import { grubConfiguration, grubFiles } from "./grub.js";
import { earlierLaunch, launchTries, menuFile, triesFile } from "./grub-fallback.js";
import { checkBootDomain, type LaunchParts, xenCommandLine } from "./launch-parts.js";
import { readPe } from "./pe.js";
import { placeFiles } from "./place-files.js";
import { MediaError } from "./problem.js";
import { type Signer, signProgram } from "./sign.js";
import { makeUnifiedXen, xenConfiguration } from "./unified-xen.js";

/** Where a PE file says where its header is, and the time in that. */
const PE_POINTER = 0x3c;
const PE_TIME = 8;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-media-test-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const bytes = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + seed) % 251);

const parts: LaunchParts = {
  bootDomain: bytes(5001, 1),
  // Longer than the distance that sections are aligned to.
  image: bytes(0x200000 + 3, 2),
  policy: bytes(33, 3),
  xenOptions: ["boot-domain=6M", "com1=115200,8n1"],
};

const xenEfi = (): Promise<Uint8Array> => readFile(paths.xenEfi());

/** What stands in the way, as a MediaError says it. */
async function problemOf(work: () => unknown): Promise<MediaError["problem"]> {
  try {
    await work();
  } catch (error) {
    if (error instanceof MediaError) return error.problem;
    throw error;
  }
  throw new Error("nothing stood in the way");
}

async function makeKey(name: string, ...more: string[]): Promise<Signer> {
  const signer = {
    keyPath: join(folder, `${name}.key`),
    certificatePath: join(folder, `${name}.pem`),
  };
  await execa("openssl", [
    ...["req", "-x509", "-newkey", "rsa:2048", "-subj", `/CN=${name}`, "-days", "3650"],
    ...["-keyout", signer.keyPath, "-out", signer.certificatePath],
    ...(more.length === 0 ? ["-noenc"] : more),
  ]);
  return signer;
}

describe("the one file for EFI firmware", () => {
  it("holds each part in a section of its own, at its whole length, apart from the others", async () => {
    const original = readPe(await xenEfi());
    const program = await makeUnifiedXen(await xenEfi(), parts);
    const pe = readPe(program);
    const sections = pe?.sections.slice(original?.sections.length) ?? [];
    const contents = sections.map(({ fileOffset, size }) =>
      program.subarray(fileOffset, fileOffset + size),
    );
    expect(sections.map(({ name }) => name)).toEqual([".config", ".kernel", ".ramdisk", ".xsm"]);
    expect(Buffer.from(contents[0] ?? []).toString()).toBe(xenConfiguration(parts));
    expect(contents.slice(1).map((one) => Buffer.from(one).toString("hex"))).toEqual(
      [parts.bootDomain, parts.image, parts.policy].map((one) =>
        Buffer.from(one ?? []).toString("hex"),
      ),
    );
    let end = original?.end ?? Number.NaN;
    for (const { address, size } of sections) {
      expect(address).toBeGreaterThanOrEqual(end);
      expect(address % (pe?.sectionAlignment ?? 0)).toBe(0);
      end = address + size;
    }
  });

  it("has no section for a policy where there is none", async () => {
    const { policy: _, ...without } = parts;
    const names = readPe(await makeUnifiedXen(await xenEfi(), without))?.sections.map(
      ({ name }) => name,
    );
    expect(names).not.toContain(".xsm");
  });

  it("is the same each time, and holds no time of its making", async () => {
    const signer = await makeKey("one");
    const make = async () => signProgram(await makeUnifiedXen(await xenEfi(), parts), signer);
    const program = Buffer.from(await make());
    expect(Buffer.compare(program, await make())).toBe(0);
    const { validFrom } = new X509Certificate(await readFile(signer.certificatePath));
    const asSigned = new Date(validFrom).toISOString().replace(/^..|[-:T]|\.000/g, "");
    // Once in the certificate, and once as the time of the signature.
    expect(program.toString("latin1").split(asSigned)).toHaveLength(3);
    expect(program.readUInt32LE(program.readUInt32LE(PE_POINTER) + PE_TIME)).toBe(0);
  });

  it("has a signature that verifies by the certificate, and no longer when a byte changes", async () => {
    const signer = await makeKey("one");
    const program = await signProgram(await makeUnifiedXen(await xenEfi(), parts), signer);
    const verified = async (content: Uint8Array): Promise<boolean> => {
      const path = join(folder, "program.efi");
      await writeFile(path, content);
      const words = ["verify", "-CAfile", signer.certificatePath, "-in", path];
      return (await execa("osslsigncode", words, { reject: false })).exitCode === 0;
    };
    expect(await verified(program)).toBe(true);
    const changed = Uint8Array.from(program);
    changed[program.length >> 1] = (changed[program.length >> 1] ?? 0) ^ 1;
    expect(await verified(changed)).toBe(false);
  });

  it("names no file in its configuration, so that Xen reads none from the medium", () => {
    const text = xenConfiguration(parts);
    expect(text).toContain("options=boot-domain=6M com1=115200,8n1\n");
    expect(text).not.toMatch(/^(kernel|ramdisk|xsm|ucode|chain|dtb)=/m);
    expect(text).toMatch(/^ignore-load-options=/m);
  });

  it("is not made of what is no PE file", async () => {
    for (const wrong of [new Uint8Array(), bytes(4000, 9), (await xenEfi()).slice(0, 300)]) {
      const problem = await problemOf(() => makeUnifiedXen(wrong, parts));
      expect(problem).toMatchObject({ kind: "unfit-part", what: /no PE file/ });
    }
  });

  it("is not made without objcopy, and its package is named", async () => {
    const xen = await xenEfi();
    vi.stubEnv("PATH", folder);
    expect(await problemOf(() => makeUnifiedXen(xen, parts))).toEqual({
      kind: "missing-program",
      program: "objcopy",
      debianPackage: "binutils",
    });
  });
});

describe("a key that can't sign", () => {
  it("is named: another's certificate, a pass phrase, another kind of key, no key", async () => {
    const one = await makeKey("one");
    const two = await makeKey("two");
    const locked = await makeKey("locked", "-passout", "pass:secret");
    const curve = await makeKey(
      "curve",
      "-noenc",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
    );
    const swapped = { ...one, keyPath: one.certificatePath };
    const sign = (signer: Signer) => problemOf(() => signProgram(bytes(10, 0), signer));
    const mixed = { ...one, certificatePath: two.certificatePath };
    expect(await sign(mixed)).toMatchObject({ kind: "unfit-key", what: /is not the certificate/ });
    expect(await sign(locked)).toMatchObject({ kind: "unfit-key", fix: /pass phrase/ });
    expect(await sign(curve)).toMatchObject({ kind: "unfit-key", what: /firmware wants RSA/ });
    expect(await sign(swapped)).toMatchObject({ kind: "unfit-key", what: /no private key/ });
  });

  it("is told apart from a program that can't be signed", async () => {
    const problem = await problemOf(async () => signProgram(bytes(10, 0), await makeKey("one")));
    expect(problem).toMatchObject({ kind: "failed-program", program: "osslsigncode" });
  });
});

describe("files for GRUB", () => {
  it("are Xen, the modules in Xen's order, and a menu that names all of them", () => {
    const files = grubFiles(bytes(10, 5), parts);
    const modules = files.slice(1, -1).map(({ path }) => path);
    expect(files[0]?.path).toBe("boot/xen");
    expect(modules).toEqual(["boot/boot-domain.elf", "boot/launch.domb", "boot/xenpolicy"]);
    const menu = grubConfiguration(parts);
    expect([...menu.matchAll(/module2 --nounzip \/(.*)$/gm)].map(([, path]) => path)).toEqual(
      modules,
    );
    expect(menu).toContain("multiboot2 /boot/xen placeholder 'boot-domain=6M' 'com1=115200,8n1'\n");
  });
});

describe("an earlier launch for GRUB to fall back to", () => {
  const earlier = { ...parts, image: bytes(100, 7), xenOptions: ["boot-domain=4M"] };

  it("is taken whole from its medium, with its Xen and its options", async () => {
    await placeFiles(folder, grubFiles(bytes(10, 6), earlier));
    const files = grubFiles(bytes(10, 5), parts, await earlierLaunch(folder));
    expect(files.slice(0, 6)).toMatchObject([
      { path: "boot/fallback/xen", bytes: Buffer.from(bytes(10, 6)) },
      { path: "boot/fallback/boot-domain.elf", bytes: Buffer.from(earlier.bootDomain) },
      { path: "boot/fallback/launch.domb", bytes: Buffer.from(earlier.image) },
      { path: "boot/fallback/xenpolicy", bytes: Buffer.from(earlier.policy ?? []) },
      { path: "boot/grub/grubenv" },
      { path: "boot/grub/grub.cfg" },
    ]);
    const [, first, second] = Buffer.from(files[5]?.bytes ?? [])
      .toString()
      .split("menuentry ");
    expect(first).toContain(" /boot/xen placeholder 'boot-domain=6M' 'com1=115200,8n1'\n");
    expect(second).toBe(
      [
        "'earlier domb launch' {",
        "  multiboot2 /boot/fallback/xen placeholder 'boot-domain=4M'",
        "  module2 --nounzip /boot/fallback/boot-domain.elf",
        "  module2 --nounzip /boot/fallback/launch.domb",
        "  module2 --nounzip /boot/fallback/xenpolicy",
        "}\n",
      ].join("\n"),
    );
  });

  it("is one that is called good, of a medium that has two", async () => {
    const medium = join(folder, "medium");
    await placeFiles(medium, grubFiles(bytes(10, 6), earlier));
    await placeFiles(medium, grubFiles(bytes(10, 5), parts, await earlierLaunch(medium)));
    const first = await earlierLaunch(medium);
    expect(Buffer.compare(first.image.bytes, earlier.image)).toBe(0);
    expect(first.commands[0]).toBe("multiboot2 /boot/fallback/xen placeholder 'boot-domain=4M'");
    const environment = join(medium, triesFile.path);
    await execa("grub-editenv", [environment, "set", "domb_tries=unlimited"]);
    const { image, files, commands } = await earlierLaunch(medium);
    expect(files).toHaveLength(4);
    expect(Buffer.compare(image.bytes, parts.image)).toBe(0);
    expect(commands[0]).toContain("/boot/fallback/xen placeholder 'boot-domain=6M'");
  });

  it("has its tries in a block of GRUB's, which grub-editenv reads", async () => {
    await placeFiles(folder, [triesFile]);
    const path = join(folder, triesFile.path);
    const { stdout } = await execa("grub-editenv", [path, "list"]);
    expect(stdout).toBe(`domb_tries=${launchTries}`);
  });

  it.each([
    ["another's entry", "menuentry 'Debian' {\n  linux /boot/vmlinuz\n}\n"],
    ["an entry that names a file elsewhere", "menuentry 'x' {\n  multiboot2 /boot/a/xen\n}\n"],
    ["an entry without modules", "menuentry 'x' {\n  multiboot2 /boot/xen placeholder\n}\n"],
    ["no entry", ""],
  ])("is not taken from a menu with %s", async (_, menu) => {
    await placeFiles(folder, grubFiles(bytes(10, 6), earlier));
    await writeFile(join(folder, menuFile), menu);
    const problem = await problemOf(() => earlierLaunch(folder));
    expect(problem).toMatchObject({ kind: "unfit-part", what: /grub\.cfg is no menu as/ });
  });
});

describe("Xen's options", () => {
  it.each(["", "a b", "a#b", "a\nb", "a'b", 'a"b', "a\\b", "ä", "$x"])(
    "are refused where a medium can't carry them: %j",
    async (option) => {
      const problem = await problemOf(() => xenCommandLine(["good", option]));
      expect(problem).toMatchObject({ kind: "unfit-part" });
    },
  );
});

describe("a boot domain", () => {
  it("must be an ELF file of 64 bits", async () => {
    checkBootDomain(await readFile(paths.bootDomain()), "domb.elf");
    const problem = await problemOf(() => checkBootDomain(bytes(100, 0), "other"));
    expect(problem).toMatchObject({ kind: "unfit-part", what: "other is no 64-bit ELF file" });
  });

  it("must be an Image on arm64", async () => {
    checkBootDomain(await readFile(paths.bootDomain("4.17", "arm64")), "domb.image", "arm64");
    const elf = await readFile(paths.bootDomain());
    const problem = await problemOf(() => checkBootDomain(elf, "domb.elf", "arm64"));
    expect(problem).toMatchObject({ kind: "unfit-part", what: "domb.elf is no arm64 Image" });
  });
});

describe("a medium's folder", () => {
  const files = [
    { path: "boot/one", bytes: bytes(10, 1) },
    { path: "boot/grub/two", bytes: bytes(10, 2) },
  ];

  it("gets all files, and replaces those that are there", async () => {
    await placeFiles(join(folder, "new", "medium"), files);
    await placeFiles(join(folder, "new", "medium"), [{ path: "boot/one", bytes: bytes(3, 7) }]);
    const names = await readdir(join(folder, "new", "medium"), { recursive: true });
    expect(names.sort()).toEqual(["boot", "boot/grub", "boot/grub/two", "boot/one"]);
    expect(await readFile(join(folder, "new", "medium", "boot/one"))).toHaveLength(3);
  });

  it("stays as it was when one file can't be written, or it is interrupted", async () => {
    await mkdir(join(folder, "boot", "grub", "two"), { recursive: true });
    await writeFile(join(folder, "boot", "one"), "before");
    await expect(placeFiles(folder, files)).rejects.toMatchObject({ code: "not a plain file" });
    const before = ["boot", "boot/grub", "boot/grub/two", "boot/one"];
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(before);
    expect(await readFile(join(folder, "boot", "one"), "utf8")).toBe("before");
    const other = join(folder, "other");
    await expect(placeFiles(other, files, AbortSignal.abort())).rejects.toThrow();
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(before);
  });

  it("is an error, and no endless attempt, where no folder can be made", async () => {
    await expect(placeFiles("/proc/domb/medium", files)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
