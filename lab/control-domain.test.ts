// SPDX-License-Identifier: Apache-2.0
// examples/control-domain on real Xen: a Linux with Debian's tools and no hardware looks at, pauses
// and destroys what the boot domain made. Its README says how; this holds it to that.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { XEN_DOMCTL_CDF_control } from "../contract/xen-abi.js";
import { paths } from "../setup/paths.js";
import { decodeKeptReceipt } from "./kept-receipt.js";
import { type Booted, booted, compiledExample, exactTime } from "./lab-bench.js";

const example = join(paths.checkout, "examples", "control-domain");
const MIB_PAGES = 256;

/** A command that the control domain ran. */
interface Ran {
  readonly command: string;
  readonly lines: readonly string[];
  readonly exitCode: number;
}

function ranIn(output: string): readonly Ran[] {
  const told = [...output.matchAll(/control: ([$|=]) (.*)$/gm)];
  const starts = told.flatMap(([, kind], index) => (kind === "$" ? [index] : []));
  return starts.map((start, index) => {
    const part = told.slice(start, starts[index + 1]);
    return {
      command: part[0]?.[2] ?? "",
      lines: part.filter(([, kind]) => kind === "|").map(([, , text]) => text ?? ""),
      exitCode: Number(part.at(-1)?.[1] === "=" ? part.at(-1)?.[2] : Number.NaN),
    };
  });
}

describe("examples/control-domain", () => {
  let launch: Booted;
  let ran: readonly Ran[];

  beforeAll(async () => {
    const { image, xenCommandLine } = await compiledExample("control-domain");
    launch = await booted(image, xenCommandLine, exactTime);
    ran = ranIn(launch.outputs.control ?? "");
  });

  /** What each run of a command said, in their order. */
  function said(command: string): readonly (readonly string[])[] {
    return ran.filter((one) => one.command === command).map(({ lines }) => lines);
  }

  /** Free pages of the host, each time that they were asked for. */
  function freePages(): readonly number[] {
    return said("domains memory").map(([line]) => Number(/free: (\d+)/.exec(line ?? "")?.[1]));
  }

  it("[RFC-MODELS] comes up with a control domain that has no hardware", () => {
    expect(launch.outcome.status).toBe("success");
    expect(launch.outcome.bootDomain).toMatchObject({ exited: true, status: 0 });
    const own = ran.filter(({ command }) => command.startsWith("domains "));
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter(({ exitCode }) => exitCode !== 0)).toEqual([]);
  });

  it("shows the domains that the boot domain made, and not the boot domain", () => {
    const [first = []] = said("domains list");
    const shown = first.map((line) => line.replace(/, \d+ us of CPU time/, ""));
    // Linux has given back a little of its 128 MiB.
    expect(shown).toEqual([
      expect.stringMatching(/^domain 0: 1310\d\d KiB, running$/),
      "domain 1: 65536 KiB, blocked",
      "domain 2: 32768 KiB, powered off",
    ]);
  });

  it("pauses a domain, and lets it go on", () => {
    const lines = launch.xenLog.split("\n");
    const place = (command: string) => lines.findIndex((line) => line.endsWith(`$ ${command}`));
    const ticks = (from: number, to: number) =>
      lines.slice(from, to).filter((line) => line.includes("ticker: ")).length;
    const paused = lines.findIndex(
      (line, at) => at > place("domains pause 1") && / = 0$/.test(line),
    );
    expect(ticks(0, paused)).toBeGreaterThan(0);
    expect(ticks(paused, place("domains unpause 1"))).toBe(0);
    expect(ticks(place("domains unpause 1"), place("domains destroy 2"))).toBeGreaterThan(5);

    const ofTicker = said("domains list").map(([, line]) => line ?? "");
    const used = ofTicker.map((line) => /(\d+) us/.exec(line)?.[1]);
    expect(ofTicker[1]).toMatch(/paused$/);
    expect(used[1]).toBe(used[0]);
    expect(ofTicker[2]).toMatch(/blocked$/);
    expect(Number(used[2])).toBeGreaterThan(Number(used[1]));
  });

  it("destroys a domain that has ended, and its memory is free", () => {
    const [, , after = []] = said("domains list");
    expect(after.map((line) => line.slice(0, 9))).toEqual(["domain 0:", "domain 1:"]);
    const [before = 0, then = 0] = freePages();
    expect(then - before).toBeGreaterThanOrEqual(32 * MIB_PAGES);
  });

  it("destroys a running domain by xl, and then is alone", () => {
    expect(said("domains list").at(-1)).toEqual([expect.stringMatching(/^domain 0: /)]);
    const [, before = 0, then = 0] = freePages();
    // The domain that xl could not build is gone as well.
    expect(then - before).toBeGreaterThanOrEqual(64 * MIB_PAGES);
    expect(launch.outputs.ticker).toContain("ticker: ");
  });

  it("reads the launch's receipt, which says who was made the control domain", () => {
    const digits = said("domains receipt")
      .flat()
      .map((line) => line.replace("receipt: ", ""));
    const { status, domains } = decodeKeptReceipt(Buffer.from(digits.join(""), "hex"));
    expect(status).toBe(0);
    expect(domains.map(({ domid }) => domid)).toEqual([0, 1, 2]);
    expect(domains.map(({ flags }) => (flags & XEN_DOMCTL_CDF_control) !== 0)).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("finds that xl does nothing without xenstore, whatever the command", () => {
    const xenstore = ran.findIndex(({ command }) => command.startsWith("oxenstored"));
    const tried = ran.slice(0, xenstore).filter(({ command }) => command.startsWith("xl "));
    expect(tried.length).toBeGreaterThan(20);
    for (const { command, lines, exitCode } of tried) {
      expect(lines.join(" "), command).toContain("cannot connect to xenstore");
      expect(exitCode, command).toBe(1);
    }
  });

  it("finds of xl, with a xenstore of its own, what the example's README says", async () => {
    const text = await readFile(join(example, "README.md"), "utf8");
    const rows = [...text.matchAll(/^\| `(xl [^`]+)` +\| (\d+) +\| (?:`([^`]+)`)? *\|$/gm)];
    const written = rows.map(([, command, exitCode]) => ({ command, exitCode: Number(exitCode) }));
    const xenstore = ran.findIndex(({ command }) => command.startsWith("oxenstored"));
    const tried = ran.slice(xenstore).filter(({ command }) => command.startsWith("xl "));
    expect(tried.map(({ command, exitCode }) => ({ command, exitCode }))).toEqual(written);
    for (const [index, [, command, , words = ""]] of rows.entries()) {
      expect(tried[index]?.lines.join("\n"), command).toContain(words);
    }
  });

  it("reads Xen's log by xl", () => {
    const [lines = []] = said("sh -c xl dmesg | busybox head -n 1");
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain("xenstore");
  });
});
