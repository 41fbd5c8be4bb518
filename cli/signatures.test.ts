// SPDX-License-Identifier: Apache-2.0
// Keys, signatures and trust by the commands, as their users go through them.

import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { slh_dsa_sha2_128s } from "@noble/post-quantum/slh-dsa.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSecretKey } from "../compiler/signature/keys.js";
import { HEADERS_END, ImageHeader } from "../contract/image.js";
import { SIGNATURE_CONTEXT } from "../contract/trust.js";
import { paths } from "../setup/paths.js";
import { domb } from "./run-domb.js";

let directory: string;
const at = (name: string): string => join(directory, name);

/** A launch with a recovery domain; `policy`: what the description says of it. */
function description(policy = ""): string {
  const hello = `kernel: ${join(paths.build, "guests", "hello.elf")}, memory: 2 MiB, output: xen-log`;
  return [
    "domb: 1",
    policy,
    "domains:",
    `  first: { ${hello} }`,
    `  rescue: { ${hello}, cmdline: rescue, roles: [recovery] }`,
  ].join("\n");
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "domb-signatures-"));
  await writeFile(at("launch.yaml"), description());
  expect((await domb("keygen", at("owner"))).exitCode).toBe(0);
  expect((await domb("keygen", at("other"))).exitCode).toBe(0);
  const built = await domb("build", at("launch.yaml"), "--key", at("owner.key"));
  expect(built).toMatchObject({ exitCode: 0 });
  expect(built.stdout).toContain("It is signed.");
});

afterAll(() => rm(directory, { recursive: true }));

describe("domb keygen", () => {
  it("writes a secret key that only its user may read, and says nothing of it", async () => {
    const { stdout, stderr } = await domb("keygen", at("third"));
    const { mode } = await stat(at("third.key"));
    expect(mode & 0o777).toBe(0o600);
    const [, secret = "none"] = (await readFile(at("third.key"), "utf8")).split("\n");
    expect(stdout + stderr).not.toContain(secret.slice(-20));
    expect(stdout).toContain("third.pub");
  });

  it("never writes over a file", async () => {
    const before = await readFile(at("owner.key"));
    const { exitCode, stderr } = await domb("keygen", at("owner"));
    expect(exitCode).toBe(2);
    expect(stderr).toContain("owner.pub is there already");
    expect(await readFile(at("owner.key"))).toEqual(before);
    await writeFile(at("half.key"), "something else");
    expect((await domb("keygen", at("half"))).exitCode).toBe(2);
    expect((await readdir(directory)).filter((name) => name.startsWith("half"))).toEqual([
      "half.key",
    ]);
  });
});

describe("domb build --key", () => {
  it("signs what `domb verify` then finds, for its key and no other", async () => {
    const good = await domb("verify", at("launch.img"), "--key", at("owner.pub"));
    expect(good).toMatchObject({ exitCode: 0 });
    expect(good.stdout).toContain("the recovery plan is signed by");
    const bad = await domb("verify", at("launch.img"), "--key", at("other.pub"), "--json");
    expect(bad.exitCode).toBe(2);
    const { ok, diagnostics } = JSON.parse(bad.stdout);
    expect(ok).toBe(false);
    expect(diagnostics.map(({ code }: { code: string }) => code)).toEqual(["DOMB5105", "DOMB5105"]);
    const old = ["verify", at("launch.img"), "--key", at("owner.pub"), "--least-version", "2"];
    expect((await domb(...old)).stderr).toContain("DOMB5109");
  });

  it("makes the same image each time", async () => {
    const again = ["build", at("launch.yaml"), "--key", at("owner.key"), "-o", at("again.img")];
    await domb(...again);
    expect(await readFile(at("again.img"))).toEqual(await readFile(at("launch.img")));
  });

  it("warns of a key that others may read", async () => {
    await chmod(at("other.key"), 0o640);
    const { exitCode, stderr } = await domb(
      ...["sign", at("launch.img"), "--key", at("other.key"), "-o", at("others.img")],
    );
    expect(exitCode).toBe(0);
    expect(stderr).toContain("warning DOMB5102: the secret key has mode 0640, wanted 0600");
  });

  it("refuses a description that verifies nothing, and a file that is no key", async () => {
    await writeFile(at("open.yaml"), description("policy: { verify: none }"));
    const open = await domb("build", at("open.yaml"), "--key", at("owner.key"));
    expect(open.exitCode).toBe(2);
    expect(open.stderr).toContain("says that nothing is verified");
    const noKey = await domb("build", at("launch.yaml"), "--key", at("owner.pub"));
    expect(noKey.stderr).toContain("DOMB5101");
  });

  it("never replaces the key by the image", async () => {
    const before = await readFile(at("owner.key"));
    const onto = ["build", at("launch.yaml"), "--key", at("owner.key"), "-o", at("owner.key")];
    expect((await domb(...onto)).exitCode).toBe(2);
    expect(await readFile(at("owner.key"))).toEqual(before);
  });
});

describe("a signer elsewhere", () => {
  it("signs what --digest-only wrote, and `domb sign --attach` takes it", async () => {
    const image = at("unsigned.img");
    const built = await domb("build", at("launch.yaml"), "--digest-only", "-o", image);
    expect(built.stdout).toContain(`context "${SIGNATURE_CONTEXT}"`);
    const key = parseSecretKey(await readFile(at("owner.key"), "utf8"), {});
    if (!key.ok) return expect.fail("the key was not read");
    for (const part of ["", ".recovery"]) {
      const message = await readFile(`${image}${part}.tosign`);
      expect(message).toHaveLength(ImageHeader.size);
      const context = new TextEncoder().encode(SIGNATURE_CONTEXT);
      const options = { context, extraEntropy: false } as const;
      await writeFile(at(`a${part}.sig`), slh_dsa_sha2_128s.sign(message, key.value, options));
    }
    const attach = ["--attach", at("a.sig"), "--attach-recovery", at("a.recovery.sig")];
    expect((await domb("sign", image, ...attach)).exitCode).toBe(0);
    expect(await readFile(image)).toEqual(await readFile(at("launch.img")));
  });

  it("is told what is no signature", async () => {
    const attach = ["sign", at("launch.img"), "--attach", at("launch.yaml")];
    expect((await domb(...attach)).stderr).toContain("DOMB5106");
    expect((await domb("sign", at("launch.img"))).exitCode).toBe(2);
  });
});

describe("domb trust", () => {
  it("puts keys into a boot domain, and shows them", async () => {
    const keys = ["--key", at("owner.pub"), "--key", at("other.pub")];
    const output = ["--least-version", "7", "-o", at("boot-domain.elf")];
    const written = await domb("trust", ...keys, ...output);
    expect(written.exitCode).toBe(0);
    const shown = await domb("trust", "--boot-domain", at("boot-domain.elf"));
    expect(shown.stdout).toBe(written.stdout);
    expect(shown.stdout).toMatch(/^key 2 {2}[0-9a-f]{64}$/m);
    expect(shown.stdout).toContain("runs launch version 7 and later");
    expect((await domb("trust")).stdout).toContain("NOT VERIFIED");
  });

  it("takes two keys at most, and no other file than a boot domain", async () => {
    const three = ["owner", "other", "owner"].flatMap((name) => ["--key", at(`${name}.pub`)]);
    expect((await domb("trust", ...three, "-o", at("x.elf"))).exitCode).toBe(2);
    const other = ["trust", "--boot-domain", at("launch.yaml"), "--key", at("owner.pub")];
    expect((await domb(...other, "-o", at("x.elf"))).stderr).toContain("DOMB5108");
  });
});

describe("a launch", () => {
  const shown = (words: readonly string[]) => domb("simulate", ...words);

  it("says loudly that it is not verified", async () => {
    expect((await domb("check", at("launch.yaml"))).stdout).toContain("NOT VERIFIED");
    expect((await shown([at("launch.yaml")])).stdout).toContain("NOT VERIFIED");
  });

  it("that is signed runs for who trusts its key", async () => {
    const { exitCode, stdout } = await shown([at("launch.img"), "--trust", at("owner.pub")]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("by trusted key 1, launch version 1");
    const second = ["--trust", at("other.pub"), "--trust", at("owner.pub")];
    expect((await shown([at("launch.img"), ...second])).stdout).toContain("by trusted key 2");
  });

  it("is refused by who trusts another, and by who wants a later version", async () => {
    const other = await shown([at("launch.img"), "--trust", at("other.pub")]);
    expect(other).toMatchObject({ exitCode: 1 });
    expect(other.stdout).toContain("status  signature");
    const late = ["--trust", at("owner.pub"), "--least-version", "2"];
    expect((await shown([at("launch.img"), ...late])).stdout).toContain("status  launchVersion");
  });

  it("recovers when its main plan was changed, and says so", async () => {
    const bytes = await readFile(at("launch.img"));
    bytes.writeUInt8(bytes.readUInt8(ImageHeader.planDigest) ^ 1, ImageHeader.planDigest);
    await writeFile(at("changed.img"), bytes);
    const { exitCode, stdout } = await shown([at("changed.img"), "--trust", at("owner.pub")]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("after the main one: planDigest");
    bytes.writeUInt8(bytes.readUInt8(HEADERS_END) ^ 1, HEADERS_END);
    await writeFile(at("changed.img"), bytes);
    const both = await shown([at("changed.img"), "--trust", at("owner.pub")]);
    expect(both.stdout).toContain("status  planDigest");
  });
});
