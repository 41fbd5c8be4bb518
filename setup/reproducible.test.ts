// SPDX-License-Identifier: Apache-2.0
// All that a launch is started with is built a second time, by somebody else: another user, who has
// another folder, locale, time zone, umask, date and environment, and nothing of the first build but
// Debian's source of Xen and the npm packages. Every byte must be the same.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageHeader } from "../contract/image.js";
import { SIGNATURE_BYTES } from "../contract/trust.js";
import { cacheFolder, paths } from "./paths.js";

/** A build of Xen, while other tests take the processors. */
const LONG_MS = 3_600_000;

/** Somebody with a checkout, and a folder for launches. */
interface Party {
  readonly checkout: string;
  readonly folder: string;
  run(command: string, ...words: string[]): Promise<string>;
}

/** The user nobody, if this one may become it, as root may, and it may run Node. */
async function findNobody(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const numberOf = async (option: string) => Number((await execa("id", [option, "nobody"])).stdout);
  const nobody = { uid: await numberOf("-u"), gid: await numberOf("-g") };
  const tried = await execa("node", ["--version"], { ...nobody, cwd: "/", reject: false });
  return tried.exitCode === 0 ? nobody : undefined;
}

const nobody = await findNobody();
const somebody = nobody ? "another user" : "the same user, who can't become another";

let folder: string;
let we: Party;
let they: Party;

/** Digest of each file, by name. */
async function digests(place: string, names: readonly string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of [...names].sort()) {
    const bytes = await readFile(join(place, name));
    found[name] = createHash("sha256").update(bytes).digest("hex");
  }
  return found;
}

/** A locale that sorts otherwise than C does, if this machine has one. */
async function otherLocale(): Promise<string> {
  const all = (await execa("locale", ["-a"])).stdout.split("\n");
  return all.find((name) => !/^(C$|C\.|POSIX)/.test(name)) ?? "C.UTF-8";
}

/** Who, where and when a party is, as its programs find it. */
const circumstances = (party: Party): Promise<string> =>
  party.run("sh", "-c", 'pwd; umask; echo "$LC_ALL $TZ $CFLAGS"; date +%Y-%m');

/** A program that tells, where nothing prevents it, where and when it was compiled. */
async function telltale({ run, folder: place }: Party): Promise<string> {
  const source = "const char *told = __FILE__ __DATE__ __TIME__;\n";
  const [from, to] = [join(place, "telltale.c"), join(place, "telltale.o")];
  await run("sh", "-c", 'printf %s "$1" > "$2" && gcc -g -c "$2" -o "$3"', "sh", source, from, to);
  return run("sha256sum", to).then((line) => line.split(" ")[0] ?? "");
}

async function makeTheirs(): Promise<Party> {
  const home = join(folder, "another-home");
  const [checkout, cache, launches] = ["domb-elsewhere", "cache", "launches"].map((name) =>
    join(home, name),
  ) as [string, string, string];
  for (const place of [checkout, cache, launches]) await mkdir(place, { recursive: true });
  const entries = (await readdir(paths.checkout)).filter(
    (name) => ![".git", "dist", "build"].includes(name),
  );
  await execa("cp", ["-R", ...entries, checkout], { cwd: paths.checkout });
  await cp(join(cacheFolder(), "xen-source"), join(cache, "xen-source"), { recursive: true });
  if (existsSync(paths.upstreamXenFolder)) {
    const theirs = join(checkout, "build", "xen-4.23", "include");
    await cp(paths.xenInclude("4.23"), theirs, { recursive: true });
  }
  const clock = join(home, "later.so");
  const source = join(paths.checkout, "setup", "later.c");
  await execa("gcc", ["-shared", "-fPIC", "-O2", source, "-o", clock]);

  if (nobody) {
    await chmod(folder, 0o755);
    await execa("chown", ["-R", `${nobody.uid}:${nobody.gid}`, home]);
  }
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    DOMB_CACHE: cache,
    LC_ALL: await otherLocale(),
    TZ: "Pacific/Kiritimati",
    LD_PRELOAD: clock,
    // What builds listen to.
    CFLAGS: "-O0 -g3",
    LDFLAGS: "--no-relax",
    XEN_VENDORVERSION: "-theirs",
    SOURCE_DATE_EPOCH: "1234567890",
  };
  const options = { ...nobody, env, extendEnv: false, cwd: launches };
  const masked = ["-c", 'umask 035; exec "$@"', "sh"];
  const run: Party["run"] = async (...words) =>
    (await execa("sh", [...masked, ...words], options)).stdout;
  return { checkout, folder: launches, run };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-reproducible-"));
  const ours = join(folder, "ours");
  await mkdir(ours);
  const run: Party["run"] = async (command, ...words) =>
    (await execa(command, words, { cwd: ours })).stdout;
  we = { checkout: paths.checkout, folder: ours, run };
  they = await makeTheirs();
});
afterAll(() => rm(folder, { recursive: true }));

describe(`a second build, by ${somebody}`, () => {
  it("is made in other circumstances, which an ordinary program would show", async () => {
    const [ours, theirs] = [await circumstances(we), await circumstances(they)];
    const differing = theirs.split("\n").filter((line, index) => line !== ours.split("\n")[index]);
    expect(differing).toHaveLength(4);
    expect((await they.run("id", "-u")) === (await we.run("id", "-u"))).toBe(!nobody);
    expect(await telltale(they)).not.toBe(await telltale(we));
  });

  it(
    "gives the same Xen, boot domain, policy and guests",
    async () => {
      const printed = await they.run("node", join(they.checkout, "setup", "run.js"), "digests");
      const names = [
        ...["xen", "xen.efi", "xen-syms", "xen.config"].map((name) => join("xen", name)),
        ...["xen", "xen-syms", "xen.config"].map((name) => join("xen-arm64", name)),
        ...["domb.wasm", "domb.c", "domb.elf", "domb-arm64.image"].map((name) =>
          join("bootdomain", name),
        ),
        ...(existsSync(paths.upstreamXenFolder) ? ["bootdomain-4.23/domb.elf"] : []),
        ...(await readdir(join(paths.build, "guests"), { recursive: true }))
          .filter((name) => /\.(elf|image)$/.test(name))
          .map((name) => join("guests", name)),
        join("xen-policy", "policy"),
      ];
      const theirs = await digests(join(they.checkout, "build"), names);
      expect(theirs).toEqual(await digests(paths.build, names));
      // What a third party compares is what was compared here.
      for (const name of ["xen/xen", "xen/xen.efi", "bootdomain/domb.elf", "xen-policy/policy"]) {
        expect(printed).toContain(theirs[name]);
      }
    },
    LONG_MS,
  );
});

describe(`launches built and put on boot media by ${somebody}`, () => {
  const cli = join(paths.dist, "cli", "main.js");
  let ours: Record<string, string>;
  const keys = ["owner.key", "owner.pub", "db.key", "db.pem"];

  /** Makes all that is made of a launch in a folder, and gives the digest of each file. */
  async function make(party: Party, name: string, cmdline: string) {
    const { checkout, run } = party;
    const place = join(party.folder, name);
    const at = (file: string): string => join(place, file);
    const build = join(checkout, "build");
    const policy = join(build, "xen-policy", "policy");
    const description = [
      "domb: 1",
      `policy: { xsm: ${policy} }`,
      "domains:",
      `  hello: { kernel: ${join(build, "guests", "hello.elf")}, memory: 8 MiB, cmdline: ${cmdline} }`,
      `  probe: { kernel: ${join(build, "guests", "probe.elf")}, memory: 8 MiB }`,
    ].join("\n");
    await run("mkdir", place);
    await run("sh", "-c", 'printf %s "$1" > "$2"', "sh", description, at("launch.yaml"));
    const domb = (...words: string[]) =>
      run("node", join(checkout, "dist", "cli", "main.js"), ...words);
    const key = (file: string): string => join(party.folder, file);
    await domb("build", at("launch.yaml"), "-o", at("unsigned.img"), "--digest-only");
    await domb("build", at("launch.yaml"), "-o", at("signed.img"), "--key", key("owner.key"));
    await domb("trust", "--key", key("owner.pub"), "-o", at("boot-domain.elf"));
    const media = (image: string, medium: string, ...words: string[]) =>
      domb("media", at(image), "-o", at(medium), "--xsm", policy, ...words);
    await media("unsigned.img", "grub", "--grub");
    const trusting = ["--efi", "--boot-domain", at("boot-domain.elf")];
    await media("signed.img", "efi", ...trusting);
    const signer = ["--sign-key", key("db.key"), "--sign-cert", key("db.pem")];
    await media("signed.img", "efi-signed", ...trusting, ...signer);
    const entries = await readdir(place, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && entry.name !== "launch.yaml");
    return digests(
      place,
      files.map((entry) => join(entry.parentPath, entry.name).slice(place.length + 1)),
    );
  }

  beforeAll(async () => {
    await we.run("node", cli, "keygen", "owner");
    await we.run(
      ...(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "3650"] as const),
      ...["-subj", "/CN=test", "-keyout", "db.key", "-out", "db.pem"],
    );
    for (const name of keys) {
      const text = await readFile(join(we.folder, name), "utf8");
      await they.run("sh", "-c", 'printf %s "$1" > "$2"', "sh", text, join(they.folder, name));
    }
    ours = await make(we, "launch", "one");
  });

  it("are the same: images, signatures, boot domains that trust a key, media", async () => {
    expect(Object.keys(ours)).toEqual([
      "boot-domain.elf",
      "efi-signed/EFI/BOOT/BOOTX64.EFI",
      "efi/EFI/BOOT/BOOTX64.EFI",
      "grub/boot/boot-domain.elf",
      "grub/boot/grub/grub.cfg",
      "grub/boot/launch.domb",
      "grub/boot/xen",
      "grub/boot/xenpolicy",
      "signed.img",
      "unsigned.img",
      "unsigned.img.tosign",
    ]);
    expect(await make(they, "launch", "one")).toEqual(ours);
  });

  it("are the same with our signatures on them, for one who has no key", async () => {
    const [place, theirs] = [join(we.folder, "launch"), join(they.folder, "launch")];
    const at = (name: string): string => join(we.folder, name);
    const image = await readFile(join(place, "signed.img"));
    const end = ImageHeader.size + SIGNATURE_BYTES;
    await writeFile(at("launch.sig"), image.subarray(ImageHeader.size, end));
    const page = await readFile(join(paths.checkout, "docs", "reproducible.md"), "utf8");
    const cut = `tail -c +${ImageHeader.size + 1} published.img | head -c ${SIGNATURE_BYTES}`;
    expect(page).toContain(cut);
    const attach = ["--attach", at("launch.sig"), "-o", at("attached.img")];
    await we.run("node", cli, "sign", join(theirs, "unsigned.img"), ...attach);
    expect(image.equals(await readFile(at("attached.img")))).toBe(true);

    const program = join("EFI", "BOOT", "BOOTX64.EFI");
    const signed = join(place, "efi-signed", program);
    const sign = (...words: string[]) => we.run("osslsigncode", ...words);
    await sign("extract-signature", "-in", signed, "-out", at("efi.sig"));
    await sign(
      ...["attach-signature", "-sigin", at("efi.sig"), "-CAfile", at("db.pem")],
      ...["-in", join(theirs, "efi", program), "-out", at("attached.efi")],
    );
    const attached = await readFile(at("attached.efi"));
    expect(attached.equals(await readFile(signed))).toBe(true);
  });

  it("are others in every file that holds the image, when one character changes", async () => {
    const changed = await make(we, "changed", "two");
    const same = Object.keys(ours).filter((name) => ours[name] === changed[name]);
    expect(same).toEqual([
      "boot-domain.elf",
      "grub/boot/boot-domain.elf",
      "grub/boot/grub/grub.cfg",
      "grub/boot/xen",
      "grub/boot/xenpolicy",
    ]);
  });
});

describe("a source that was changed by one word", () => {
  it("shows in the boot domain's bytes", async () => {
    const source = join(they.checkout, "bootdomain", "assembly", "receipt.ts");
    const text = await readFile(source, "utf8");
    await writeFile(source, text.replace('"domb: launch status ', '"domb: Launch status '));
    await they.run("node", join(they.checkout, "dist", "bootdomain", "build.js"));
    const names = ["domb.wasm", "domb.elf"];
    const theirs = await digests(join(they.checkout, "build", "bootdomain"), names);
    const ours = await digests(paths.bootDomainFolder("4.17"), names);
    for (const name of names) expect(theirs[name]).not.toBe(ours[name]);
  });
});
