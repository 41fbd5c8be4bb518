// SPDX-License-Identifier: Apache-2.0
// The command contract: exit codes, what is printed where, and what is written.

import { createHash } from "node:crypto";
import { access, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HEADERS_END } from "../contract/image.js";
import { paths } from "../setup/paths.js";
import { makeProgram } from "./program.js";
import { domb, run } from "./run-domb.js";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "domb-cli-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** The command as it is built, for what only a process of its own shows. */
const main = join(paths.dist, "cli", "main.js");
const hello = join(paths.checkout, "examples", "hello", "launch.yaml");

describe("domb", () => {
  it("shows its commands, and help with examples for each", async () => {
    const help = await domb("--help");
    expect(help.exitCode).toBe(0);
    for (const command of [
      "init",
      "doctor",
      "check",
      "build",
      "explain",
      "simulate",
      "boot",
      "media",
    ]) {
      expect(help.stdout).toContain(command);
      const { exitCode, stdout } = await domb(command, "--help");
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/Examples?:\n {2}domb /);
    }
  });

  it("names versions and digests", async () => {
    const { exitCode, stdout } = await domb("--version");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^domb \d+\.\d+\.\d+\n/);
    expect(stdout.match(/SHA-256 [0-9a-f]{64}/g)).toHaveLength(7);
  });

  it("suggests the command that was probably meant, and exits with 2", async () => {
    const { exitCode, stderr } = await domb("chekc");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("check");
  });

  it("tells even a usage error as JSON where that is asked for", async () => {
    const { exitCode, stdout, stderr } = await domb("check", "--json", "--wrong");
    expect(exitCode).toBe(2);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ schema: "domb.check/1", ok: false });
  });

  it.each(["measure", "status"])("says of %s that it is not yet there", async (command) => {
    const { exitCode, stderr } = await domb(command, "some", "--thing");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("not yet");
  });

  it("never shows a stack trace, whatever the words", async () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("check", "build", "explain", "simulate", "--json", "-o", "/", "."),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 3 }), async (words) => {
        fc.pre(!["boot", "init", "doctor"].includes(words[0] ?? ""));
        const { exitCode, stdout, stderr } = await domb(...words);
        expect([0, 2]).toContain(exitCode);
        expect(stdout + stderr).not.toMatch(/\n {4}at /);
      }),
      { numRuns: 150 },
    );
  });
});

describe("domb check", () => {
  it("shows domains, the host's memory and Xen's command line, and writes nothing", async () => {
    const { exitCode, stdout } = await domb("check", hello);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/hello +1 +64 MiB +\S*hello\.elf +xen-log/);
    expect(stdout).toMatch(/Xen's command line must have: boot-domain=\d+M/);
    await expect(access(join(paths.checkout, "examples", "hello", "launch.img"))).rejects.toThrow();
  });

  it("reports every fault with its place, and exits with 2", async () => {
    const path = join(directory, "launch.yaml");
    await writeFile(
      path,
      "domb: 1\ndomains:\n  web:\n    kernel: none\n    memory: 64\n    vcpu: 1\n",
    );
    const { exitCode, stdout, stderr } = await domb("check", path);
    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(`${path}:5:13: error DOMB`);
    expect(stderr).toContain(`${path}:6:5: error DOMB`);
    expect(stderr).toContain("fix: ");
  });

  it("prints faults as JSON on standard output", async () => {
    const { exitCode, stdout, stderr } = await domb(
      "check",
      "--json",
      join(directory, "none.yaml"),
    );
    expect(exitCode).toBe(2);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "domb.check/1",
      ok: false,
      diagnostics: [{ code: "DOMB1001", severity: "error" }],
    });
  });
});

describe("domb build", () => {
  it("[RFC-TOOLS] writes the same bytes each time, and explain reads them back", async () => {
    const images = [join(directory, "first.img"), join(directory, "second.img")];
    for (const image of images) {
      expect((await domb("build", hello, "-o", image)).exitCode).toBe(0);
    }
    const [first, second] = await Promise.all(images.map((image) => readFile(image)));
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true);
    const explained = await domb("explain", images[0] ?? "");
    expect(explained.exitCode).toBe(0);
    expect(explained.stdout).toContain("hello");
    const { stdout } = await domb("explain", "--json", images[0] ?? "");
    expect(JSON.parse(stdout)).toMatchObject({ schema: "domb.explain/1" });
  });

  it("leaves nothing behind where it can't write", async () => {
    const { exitCode, stderr } = await domb(
      "build",
      hello,
      "-o",
      join(directory, "no", "launch.img"),
    );
    expect(exitCode).toBe(2);
    expect(stderr).toContain("can't be written");
    await expect(access(join(directory, "no"))).rejects.toThrow();
  });

  it("replaces nothing that the launch is made of", async () => {
    const description = join(directory, "launch.yaml");
    const kernel = join(paths.checkout, "build", "guests", "hello.elf");
    const text = `domb: 1\ndomains:\n  web:\n    kernel: ${kernel}\n    memory: 64 MiB\n`;
    await writeFile(description, text);
    const { exitCode, stderr } = await domb("build", description, "-o", description);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("the launch is made of it");
    expect(await readFile(description, "utf8")).toBe(text);
  });

  it("replaces no device", async () => {
    const { exitCode, stderr } = await domb("build", hello, "-o", "/dev/null");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("no plain file");
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
  });
});

describe("domb explain", () => {
  it("explains the image that a description makes", async () => {
    const { exitCode, stdout } = await domb("explain", hello);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("Launch image");
  });

  it("says what is wrong with a damaged image, and exits with 2", async () => {
    const image = join(directory, "launch.img");
    await domb("build", hello, "-o", image);
    const bytes = await readFile(image);
    bytes[HEADERS_END] = (bytes[HEADERS_END] ?? 0) ^ 1;
    await writeFile(image, bytes);
    const { exitCode, stderr } = await domb("explain", image);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("DOMB5");
  });
});

describe("domb simulate", () => {
  it("takes a description that begins with its version for what it is", async () => {
    const path = join(directory, "launch.yaml");
    const kernel = join(paths.checkout, "build", "guests", "hello.elf");
    await writeFile(path, `domb: 1\ndomains:\n  a: { kernel: ${kernel}, memory: 4 MiB }\n`);
    const { exitCode, stdout } = await domb("simulate", path);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/a +1 +started/);
    const boot = await domb("boot", path, "--until", "anything");
    expect(boot.exitCode).toBe(2);
    expect(boot.stderr).toContain("no domain has output");
    const named = await domb("boot", path, "--until", "a=anything");
    expect(named.exitCode).toBe(2);
    expect(named.stderr).toContain("a, which has no output");
  });

  it("ends with the receipt, as text and as JSON", async () => {
    const text = await domb("simulate", hello);
    expect(text.exitCode).toBe(0);
    expect(text.stdout).toMatch(/hello +1 +started/);
    const { stdout } = await domb("simulate", "--json", hello);
    expect(JSON.parse(stdout)).toMatchObject({ schema: "domb.simulate/1", ok: true });
  });

  it("exits with 1 when the launch fails", async () => {
    const image = join(directory, "launch.img");
    await domb("build", hello, "-o", image);
    await writeFile(image, (await readFile(image)).subarray(0, 5000));
    const { exitCode, stdout } = await domb("simulate", image);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("imageTruncated");
  });
});

describe("[RFC-LABELS] a launch with labels", () => {
  const labels = join(paths.checkout, "examples", "labels", "launch.yaml");

  it("has them and the policy's digest in check and explain", async () => {
    const image = join(directory, "launch.img");
    const digest = createHash("sha256")
      .update(await readFile(paths.xenPolicy()))
      .digest("hex");
    const check = await domb("check", labels);
    expect(check.stdout).toMatch(/control .* system_u:system_r:control_initial_t\n/);
    expect(check.stdout).toContain(
      `build/xen-policy/policy, SHA-256 ${digest}: Xen must enforce it`,
    );
    expect(check.stdout).toMatch(/xsm=flask flask=enforcing\n/);
    const json = JSON.parse((await domb("check", "--json", labels)).stdout);
    expect(json.policy).toMatchObject({ digest });
    expect(json.domains[1].label).toBe("system_u:system_r:initial_t");
    await domb("build", labels, "-o", image);
    const explain = await domb("explain", image);
    expect(explain.stdout).toContain(`sha256 ${digest}, enforced`);
    expect(explain.stdout).toContain("label  system_u:system_r:initial_t");
  });

  it("says that one without has none", async () => {
    expect((await domb("check", hello)).stdout).toContain("FLASK policy  none, and no labels");
  });

  it("runs from an image with the policy that it is for, and with no other", async () => {
    const image = join(directory, "launch.img");
    await domb("build", labels, "-o", image);
    for (const command of ["simulate", "boot"]) {
      const without = await domb(command, image);
      expect(without.exitCode).toBe(2);
      expect(without.stderr).toContain("Give its file with --policy.");
    }
    const right = await domb("simulate", image, "--policy", paths.xenPolicy());
    expect(right.exitCode).toBe(0);
    const other = join(directory, "policy");
    await writeFile(other, Buffer.concat([await readFile(paths.xenPolicy()), Buffer.alloc(1)]));
    const wrong = await domb("simulate", image, "--policy", other);
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stdout).toContain("status  policy");
    const none = await domb("simulate", image, "--policy", labels);
    expect(none.exitCode).toBe(2);
    expect(none.stderr).toContain("it does not begin as one");
    const twice = await domb("simulate", labels, "--policy", paths.xenPolicy());
    expect(twice.exitCode).toBe(2);
  });
});

describe("domb simulate with faults", () => {
  const pair = join(paths.checkout, "simulator", "launches", "pair.yaml");

  it("fails the hypercall that --fault names, and says where", async () => {
    const faults = ["--fault", "populate:2=1", "--fault", "destroy:1=EINVAL"];
    const { exitCode, stdout, stderr } = await domb("simulate", pair, ...faults);
    expect(exitCode).toBe(1);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/status +hypercall: step 2, operation 13, domain 2, error ENOMEM/);
    expect(stdout).toMatch(/first +1 +destroyed/);
    expect(stdout).toMatch(/second +2 +created/);
  });

  it("says when a fault was never met", async () => {
    const { exitCode, stderr } = await domb("simulate", pair, "--fault", "clear:1=EINVAL");
    expect(exitCode).toBe(0);
    expect(stderr).toContain("clear:1=EINVAL was not met");
  });

  it("shows each hypercall with --trace, as lines and as JSON", async () => {
    const { stdout } = await domb("simulate", pair, "--trace");
    expect(stdout).toContain("step 2, domain second");
    expect(stdout).toMatch(/ ms +operation 13 +populate:2 d2 gfn 0x0, 2 extents of order 9 → 2\n/);
    const json = await domb("simulate", pair, "--trace", "--json");
    const { hypercalls } = JSON.parse(json.stdout);
    expect(hypercalls[0]).toMatchObject({ hypercall: "drop", step: 0, answer: 0 });
    expect(hypercalls[1]).toMatchObject({ hypercall: "createDomain", step: 1, answer: 0 });
    expect(hypercalls.at(-1)).toMatchObject({ hypercall: "exit", step: 0 });
  });

  it("runs out of memory where --free-memory says", async () => {
    const { exitCode, stdout } = await domb("simulate", pair, "--free-memory", "4 MiB");
    expect(exitCode).toBe(1);
    expect(stdout).toContain("error ENOMEM");
  });

  it("changes a launch the same way each time with --seed, and shows how", async () => {
    const one = await domb("simulate", pair, "--seed", "3");
    const same = await domb("simulate", pair, "--seed", "3");
    const other = await domb("simulate", pair, "--seed", "4");
    expect(one.stdout).toMatch(/^changes\n {2}\S/);
    expect(same.stdout).toBe(one.stdout);
    expect(other.stdout).not.toBe(one.stdout);
  });

  it.each([
    [["--fault", "populate"], "wanted: populate:3=ENOMEM"],
    [["--fault", "populate:1=EWHAT"], "there is no errno EWHAT"],
    [["--free-memory", "much"], "Give a size with its unit"],
    [["--seed", "1", "--free-memory", "1 MiB"], "--seed decides"],
  ])("refuses %s", async (options, words) => {
    const { exitCode, stderr } = await domb("simulate", pair, ...options);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(words);
  });
});

describe("domb boot", () => {
  it("refuses to wait for a domain that there is not", async () => {
    const { exitCode, stderr } = await domb("boot", hello, "--until", "other=text");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("the domains are hello");
  });

  it("refuses a folder that no file system makes, at once", async () => {
    const { exitCode, stderr } = await domb("boot", hello, "--output-dir", "/proc/domb/outputs");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("/proc/domb/outputs can't be made a folder (ENOENT)");
  });

  it("refuses sizes and times that are none", async () => {
    expect((await domb("boot", hello, "--host-memory", "2")).exitCode).toBe(2);
    expect((await domb("boot", hello, "--time-limit", "0")).exitCode).toBe(2);
  });

  it("boots a launch and prints what scripts read", async () => {
    const receipt = join(directory, "receipt.json");
    const words = ["boot", "--json", "--icount", "--output-dir", directory, "--receipt", receipt];
    const { exitCode, stdout, stderr } = await domb(...words, hello);
    expect(exitCode).toBe(0);
    expect(stderr).toContain("hello says: domb: domain is up");
    expect(JSON.parse(stdout)).toEqual({
      schema: "domb.boot/1",
      arch: "x86_64",
      status: "success",
      bootDomain: { exited: true, status: 0, pagesReturned: expect.any(Number) },
      verification: { verifiedBy: 0, launchVersion: 1, recoveredFrom: 0 },
      domains: [
        {
          name: "hello",
          domid: 1,
          state: "started",
          failure: null,
          startedAtNs: expect.any(Number),
          readyAtNs: expect.any(Number),
          markerAtNs: expect.any(Number),
          output: join(directory, "hello.log"),
        },
      ],
      xenLog: join(directory, "xen.log"),
    });
    const report = await domb("report", hello, "--receipt", receipt);
    expect(report.stdout).toMatch(/^launch\.yaml: success in [\d.]+ ms: 1 of 1 domain runs$/m);
  });

  it("names what the machine lacks and how to install it, and exits with 3", async () => {
    const path = process.env.PATH;
    process.env.PATH = directory;
    try {
      const { exitCode, stderr } = await domb("boot", hello);
      expect(exitCode).toBe(3);
      expect(stderr).toContain("qemu-system-x86_64 is missing\n  fix: Run: apt-get install");
    } finally {
      process.env.PATH = path;
    }
  });

  it("boots a damaged image, shows what the boot domain says of it, and exits with 1", async () => {
    const image = join(directory, "launch.img");
    await domb("build", hello, "-o", image);
    const bytes = await readFile(image);
    bytes[HEADERS_END + 5000] = (bytes[HEADERS_END + 5000] ?? 0) ^ 1;
    await writeFile(image, bytes);
    const { exitCode, stdout, stderr } = await domb("boot", image, "--output-dir", directory);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("DOMB5");
    expect(stdout).toMatch(/^status +failed: /m);
  });

  it("ends with 130 when it is interrupted", async () => {
    const words = ["boot", hello, "--until", "never said", "--output-dir", directory];
    const boot = execa("node", [main, ...words], { reject: false });
    boot.stderr.once("data", () => boot.kill("SIGINT"));
    expect((await boot).exitCode).toBe(130);
  });

  it("refuses an output folder that can't be made", async () => {
    const { exitCode, stderr } = await domb("boot", hello, "--output-dir", join(hello, "outputs"));
    expect(exitCode).toBe(2);
    expect(stderr).toContain("can't be made a folder (ENOTDIR)");
  });
});

describe("domb doctor", () => {
  it("exits with 3 if, and only if, something is missing, and says how to get each", async () => {
    const { exitCode, stdout } = await domb("doctor", "--json");
    const { schema, ok, findings } = JSON.parse(stdout);
    expect(schema).toBe("domb.doctor/1");
    expect(findings.length).toBeGreaterThan(10);
    const missing = findings.filter(({ found }: { found: boolean }) => !found);
    expect(ok).toBe(missing.length === 0);
    expect(exitCode).toBe(ok ? 0 : 3);
    for (const { fix } of missing) expect(fix).toMatch(/^\S+ /);
  });
});

describe("what is in the way", () => {
  it.each([
    ["explain", "DOMB6002", ["explain", "none", "--json"]],
    ["explain", "DOMB6002", ["explain", "/dev/zero", "--json"]],
    ["simulate", "DOMB6002", ["simulate", "none", "--json"]],
    ["boot", "DOMB6002", ["boot", "none", "--json"]],
    ["boot", "DOMB6001", ["boot", hello, "--json", "--until", "other=text"]],
    ["boot", "DOMB6001", ["boot", hello, "--json", "--time-limit", "soon"]],
    ["check", "DOMB6001", ["check", "--json"]],
    ["build", "DOMB6003", ["build", hello, "--json", "-o", hello]],
    ["measure", "DOMB6005", ["measure", "launch.img", "--json"]],
  ])("is one JSON document of domb.%s/1 with %s and exit code 2", async (command, code, words) => {
    const { exitCode, stdout, stderr } = await domb(...words);
    expect(exitCode).toBe(2);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({
      schema: `domb.${command}/1`,
      ok: false,
      diagnostics: [{ code, severity: "error", fix: expect.stringMatching(/\.$/) }],
    });
  });

  it("is told in two lines when it is a bug of domb's own, with the stack on demand", async () => {
    const program = makeProgram();
    program.command("fail").action(() => {
      throw new Error("impossible\nmore");
    });
    const short = await run(program, ["fail"]);
    expect(short.exitCode).toBe(4);
    expect(short.stderr).toMatch(/^domb: [^\n]*bug[^\n]*: impossible\n {2}fix: [^\n]*\n$/);
    vi.stubEnv("DOMB_DEBUG", "1");
    const long = await run(program, ["fail"]).finally(() => vi.unstubAllEnvs());
    expect(long.stderr).toMatch(/\n {4}at /);
  });

  it("is no reader that goes away early", async () => {
    const command = `{ node ${main} check ${hello}; echo "ended with $?" >&2; } | true`;
    expect((await execa("sh", ["-c", command])).stderr).toBe("ended with 0");
  });
});
