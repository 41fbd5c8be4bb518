// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { MAX_DOMAINS, MAX_DOMID } from "../../contract/limits.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { LaunchInput } from "./define-launch.js";
import { atOnce, type LaunchDescription } from "./description.js";
import { MAX_COMMAND_LINE_BYTES, MAX_DESCRIPTION_BYTES } from "./limits.js";
import { describeLaunch, loadDescription, readDescription } from "./load-description.js";
import { sizeUnits } from "./size.js";

const web = { kernel: "./vmlinuz", memory: "64 MiB" };

function launchOf(result: ReturnType<typeof readDescription>): LaunchDescription {
  expect(result.diagnostics).toEqual([]);
  if (!result.ok) throw new Error("no value");
  return result.value;
}

const codes = (diagnostics: readonly Diagnostic[]) => diagnostics.map(({ code }) => code);

/** A launch with one domain that has `keys` beside or in place of the usual ones. */
function withKeys(keys: Readonly<Record<string, unknown>>) {
  const launch = { domb: 1, domains: { web: { ...web, ...keys } } } as unknown as LaunchInput;
  return describeLaunch(launch, "/launches");
}

describe("a launch description", () => {
  it("gets its defaults, paths relative to its file, and free domids in order", () => {
    const text = [
      "domb: 1",
      "domains:",
      "  first: { kernel: ../vmlinuz, memory: 64 MiB }",
      "  second: { kernel: /boot/vmlinuz, memory: 5 GiB, domid: 1, output: xen-log }",
      "  third: { kernel: vmlinuz, ramdisk: a/initrd, memory: 4 KiB, cmdline: quiet }",
    ].join("\n");
    const launch = launchOf(readDescription(text, "/launches/web/launch.yaml"));
    expect(launch.source).toBe("/launches/web/launch.yaml");
    const defaults = {
      cmdline: "",
      vcpus: 1,
      type: "pvh",
      output: "none",
      onDeath: "leave",
      roles: [],
      recovery: false,
      ...atOnce,
    };
    expect(launch.links).toEqual([]);
    expect(launch.domains).toEqual([
      {
        ...defaults,
        name: "first",
        kernel: "/launches/vmlinuz",
        memoryBytes: 64 * sizeUnits.MiB,
        domid: 2,
      },
      {
        ...defaults,
        name: "second",
        kernel: "/boot/vmlinuz",
        memoryBytes: 5 * sizeUnits.GiB,
        domid: 1,
        output: "xen-log",
      },
      {
        ...defaults,
        name: "third",
        kernel: "/launches/web/vmlinuz",
        ramdisk: "/launches/web/a/initrd",
        memoryBytes: 4096,
        cmdline: "quiet",
        domid: 3,
      },
    ]);
  });

  it("knows the place of each value, and the nearest around one that is a default", () => {
    const text = "domb: 1\ndomains:\n  web:\n    kernel: vmlinuz\n    memory: 64 MiB\n";
    const launch = launchOf(readDescription(text, "launch.yaml"));
    const memory = ["domains", "web", "memory"];
    expect(launch.placeOf(memory)).toEqual({
      file: "launch.yaml",
      line: 5,
      column: 13,
      path: memory,
    });
    const vcpus = ["domains", "web", "vcpus"];
    expect(launch.placeOf(vcpus)).toEqual({ file: "launch.yaml", line: 4, column: 5, path: vcpus });
  });

  it("may share whole values by anchors and aliases", () => {
    const text = [
      "domb: 1",
      "domains:",
      "  web: &plain { kernel: &linux ./vmlinuz, memory: &size 64 MiB }",
      "  log: *plain",
      "  storage: { kernel: *linux, memory: *size }",
    ].join("\n");
    const { domains } = launchOf(readDescription(text, "/l/launch.yaml"));
    expect(domains.map(({ kernel, memoryBytes }) => [kernel, memoryBytes])).toEqual(
      Array(3).fill(["/l/vmlinuz", 64 * sizeUnits.MiB]),
    );
  });

  it("reads whole numbers as YAML 1.2 does", () => {
    const text = "domb: 1\ndomains: { web: { kernel: k, memory: 64 MiB, domid: 0o17 } }";
    expect(launchOf(readDescription(text, "launch.yaml")).domains[0]?.domid).toBe(15);
  });

  it("may have as many domains, and as long a command line, as the limits say", () => {
    const domains = Object.fromEntries(
      Array.from({ length: MAX_DOMAINS }, (_, index) => [`web-${index}`, web]),
    );
    expect(launchOf(describeLaunch({ domb: 1, domains }, "/")).domains).toHaveLength(MAX_DOMAINS);
    expect(withKeys({ cmdline: "é".repeat(MAX_COMMAND_LINE_BYTES / 2) }).ok).toBe(true);
    expect(codes(withKeys({ cmdline: "é".repeat(MAX_COMMAND_LINE_BYTES) }).diagnostics)).toEqual([
      "DOMB1025",
    ]);
    expect(withKeys({ domid: MAX_DOMID }).ok).toBe(true);
    expect(withKeys({ memory: "1 TiB" }).ok).toBe(true);
  });
});

describe("order and links of a description", () => {
  const text = [
    "domb: 1",
    "host: { memory: 2 GiB }",
    "domains:",
    "  storage: { kernel: k, memory: 64 MiB, ready: { when: signalled, within: 250 ms } }",
    "  setup: { kernel: k, memory: 64 MiB, ready: { when: finished }, onFailure: recover }",
    "  web: { kernel: k, memory: 64 MiB, after: [storage, setup], onFailure: continue }",
    "  rescue: { kernel: k, memory: 64 MiB, roles: [recovery] }",
    "links:",
    "  - { kind: event-channel, name: bell, between: [storage, web] }",
    "  - { kind: shared-memory, name: ring, size: 64 KiB, writers: [web, storage] }",
    "  - { kind: shared-memory, name: log, size: 4 KiB, writers: [web], readers: [setup, storage] }",
  ].join("\n");

  it("are read whole, with defaults", () => {
    const { domains, links, hostMemoryBytes } = launchOf(readDescription(text, "launch.yaml"));
    expect(domains.map(({ after, ready, onFailure }) => ({ after, ready, onFailure }))).toEqual([
      { ...atOnce, ready: { when: "signalled", withinMs: 250 } },
      { ...atOnce, ready: { when: "finished", withinMs: 60_000 }, onFailure: "recover" },
      { ...atOnce, after: ["storage", "setup"], onFailure: "continue" },
      atOnce,
    ]);
    const ring = { owner: "web", writers: ["storage"], readers: [] };
    const log = { owner: "web", writers: [], readers: ["setup", "storage"] };
    expect(links).toEqual([
      { kind: "event-channel", name: "bell", first: "storage", second: "web" },
      { kind: "shared-memory", name: "ring", bytes: 64 * sizeUnits.KiB, ...ring },
      { kind: "shared-memory", name: "log", bytes: 4 * sizeUnits.KiB, ...log },
    ]);
    expect(hostMemoryBytes).toBe(2 * sizeUnits.GiB);
  });

  it("mean the same in a program", () => {
    const read = launchOf(readDescription(text, "/l/launch.yaml"));
    const given = launchOf(describeLaunch(parse(text), "/l"));
    expect({ ...given, placeOf: 0, source: 0 }).toEqual({ ...read, placeOf: 0, source: 0 });
  });

  it("have places, each name and each value of a link", () => {
    const { placeOf } = launchOf(readDescription(text, "launch.yaml"));
    const at = (...path: (string | number)[]) => {
      const { line = 0, column = 0 } = placeOf(path);
      return text.split("\n")[line - 1]?.slice(column - 1);
    };
    expect(at("domains", "web", "after", 1)).toMatch(/^setup\]/);
    expect(at("domains", "storage", "ready", "within")).toMatch(/^250 ms/);
    expect(at("domains", "web", "onFailure")).toMatch(/^continue/);
    expect(at("links", 0, "between", 1)).toMatch(/^web\]/);
    expect(at("links", 1, "size")).toMatch(/^64 KiB/);
    expect(at("links", 2, "readers", 0)).toMatch(/^setup, storage/);
    expect(at("host", "memory")).toMatch(/^2 GiB/);
  });

  it.each([
    [{ after: "storage" }, "DOMB1014", "Write, for example, `after: [storage]`."],
    [{ after: [5] }, "DOMB1014", 'Put it in quotes: "5".'],
    [{ ready: "finished" }, "DOMB1014", "Write, for example, `ready: { when: finished }`."],
    [{ ready: {} }, "DOMB1013", "Add `when: signalled`."],
    [{ ready: { when: "signaled" } }, "DOMB1016", "Write `signalled`."],
    [{ ready: { when: "signalled", whitin: "5 s" } }, "DOMB1011", "Did you mean `within`?"],
    [
      { ready: { when: "signalled", within: null } },
      "DOMB1014",
      "Write, for example, `within: 5 s`.",
    ],
    [{ onFailure: "restart" }, "DOMB1016", "Write one of: abort, continue, recover."],
  ])("are told of %j", (keys, code, fix) => {
    expect(withKeys(keys).diagnostics).toMatchObject([{ code, fix }]);
  });

  const bell = { kind: "event-channel", name: "bell", between: ["storage", "web"] };
  const ring = { kind: "shared-memory", name: "ring", size: "4 KiB", writers: ["web"] };
  it.each([
    [{}, "links", "DOMB1014"],
    [[5], "links[0]", "DOMB1014"],
    [[{ name: "bell" }], "links[0].kind", "DOMB1013"],
    [[{ ...bell, kind: "event-chanel" }], "links[0].kind", "DOMB1016"],
    [[{ ...bell, name: undefined }], "links[0].name", "DOMB1013"],
    [[{ ...bell, between: undefined }], "links[0].between", "DOMB1013"],
    [[{ ...bell, between: ["web", null] }], "links[0].between[1]", "DOMB1014"],
    [[{ ...bell, size: "4 KiB" }], "links[0]", "DOMB1011"],
    [[{ ...ring, readers: ["storage"], size: "1 KiB" }], "links[0].size", "DOMB1023"],
    [[{ ...ring, readers: ["storage"], size: "65 MiB" }], "links[0].size", "DOMB1024"],
    [[{ ...ring, readers: ["storage"], size: undefined }], "links[0].size", "DOMB1013"],
    [[{ ...ring, readers: "storage" }], "links[0].readers", "DOMB1014"],
  ])("are told of the links %j", (links, subject, code) => {
    const domains = { web, storage: web };
    const { diagnostics } = describeLaunch({ domb: 1, domains, links } as LaunchInput, "/");
    const told = diagnostics.filter((diagnostic) => diagnostic.code === code);
    expect(told.map(({ message }) => message)).toEqual([expect.stringContaining(`${subject} `)]);
  });
});

describe("faults of a description", () => {
  it("are told all together, in the order of the file", () => {
    const text = [
      "domains:",
      "  a b: { kernel: k, memory: 5 }",
      "  log: { kernel: k, memory: 1 KiB, domid: 7 }",
      "  storage: { kernel: 7, memory: 64 MiB, domid: 7 }",
      "  log: {}",
      "colour: blue",
    ].join("\n");
    const { diagnostics } = readDescription(text, "launch.yaml");
    expect(diagnostics.map(({ place, code }) => `${place.line} ${code}`)).toEqual([
      "1 DOMB1013",
      "2 DOMB1028",
      "2 DOMB1020",
      "3 DOMB1023",
      "4 DOMB1014",
      "4 DOMB2002",
      "5 DOMB2001",
      "6 DOMB1011",
    ]);
  });

  it("of an object have its path for a place", () => {
    const { diagnostics } = withKeys({ memory: "64 MB" });
    expect(diagnostics).toMatchObject([
      { code: "DOMB1021", place: { path: ["domains", "web", "memory"] } },
    ]);
    expect(diagnostics[0]?.place).not.toHaveProperty("file");
  });

  it.each([
    ["0 MiB", "DOMB1024"],
    ["1 KiB", "DOMB1023"],
    ["10 TiB", "DOMB1024"],
    [512, "DOMB1020"],
    [-512, "DOMB1022"],
    [0.5, "DOMB1022"],
    [Number.NaN, "DOMB1022"],
    [null, "DOMB1014"],
    [undefined, "DOMB1013"],
    [true, "DOMB1014"],
    [10n, "DOMB1014"],
    [() => "64 MiB", "DOMB1014"],
  ])("include a memory of %s", (memory, code) => {
    expect(codes(withKeys({ memory }).diagnostics)).toEqual([code]);
  });

  it("include YAML that is none, of whatever kind", () => {
    const of = (text: string) => codes(readDescription(text, "launch.yaml").diagnostics);
    expect(of("a: 1\n---\nb: 2\n")).toEqual(["DOMB1003"]);
    expect(of("domb: !secret 1\n")).toEqual(["DOMB1003"]);
    expect(of("domb:\n\t1: 2\n")).toContain("DOMB1003");
    for (const opening of ["[", "- ", "{a: ", "? "]) {
      expect(of(opening.repeat(20_000))).toEqual(["DOMB1007"]);
    }
    expect(of("")).toEqual(["DOMB1014"]);
    expect(of("a string")).toEqual(["DOMB1014"]);
    expect(of("? [domb]\n: 1\n? {}\n: 1\n")).toContain("DOMB1006");
  });

  it("stay few where aliases stand for aliases many times over", () => {
    const rows = Array.from({ length: 40 }, (_, index) =>
      index === 0 ? "x0: &x0 1" : `x${index}: &x${index} [*x${index - 1}, *x${index - 1}]`,
    );
    const { diagnostics } = readDescription(rows.join("\n"), "launch.yaml");
    expect(diagnostics).toHaveLength(rows.length + 2);
  });
});

describe("loading", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "domb-description-"));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  async function load(name: string, content: string | Uint8Array) {
    await writeFile(join(directory, name), content);
    return loadDescription(join(directory, name));
  }

  it.each(["launch.ts", "launch.mts"])("runs %s with types, imports and loops", async (name) => {
    const result = await load(
      name,
      `import { defineLaunch, type LaunchInput } from "domb";
       const domains: LaunchInput["domains"] = {};
       for (const name of ["a", "b"] as const) domains[name] = { kernel: "./k", memory: "64 MiB" };
       export default defineLaunch({ domb: 1, domains });`,
    );
    const launch = launchOf(result);
    expect(launch.domains.map(({ kernel }) => kernel)).toEqual(Array(2).fill(join(directory, "k")));
    expect(launch.placeOf(["domains", "a"])).toEqual({
      file: join(directory, name),
      path: ["domains", "a"],
    });
  });

  it.each(["launch.js", "launch.mjs"])("runs %s", async (name) => {
    const text = 'export default { domb: 1, domains: { web: { kernel: "k", memory: "64 MiB" } } };';
    expect(launchOf(await load(name, text)).domains).toHaveLength(1);
  });

  it("sees a module that has changed since", async () => {
    const text = (name: string) =>
      `export default { domb: 1, domains: { ${name}: { kernel: "k", memory: "64 MiB" } } };`;
    expect(launchOf(await load("changing.ts", text("a"))).domains[0]?.name).toBe("a");
    expect(launchOf(await load("changing.ts", text("b"))).domains[0]?.name).toBe("b");
  });

  it("tells a module that does not compile, imports what is not there, or throws no error", async () => {
    for (const text of ["export default {", 'import "./nothing.js";', "throw 5;"]) {
      expect(codes((await load("broken.ts", text)).diagnostics)).toEqual(["DOMB1009"]);
    }
  });

  it("tells a file that is a directory, too large, or no text", async () => {
    expect((await loadDescription(directory)).diagnostics).toMatchObject([
      { code: "DOMB1001", message: expect.stringContaining("it is a directory") },
    ]);
    const large = new Uint8Array(MAX_DESCRIPTION_BYTES + 1).fill(0x20);
    expect(codes((await load("large.yaml", large)).diagnostics)).toEqual(["DOMB1002"]);
    expect(codes((await load("zero.yaml", "domb: 1\0")).diagnostics)).toEqual(["DOMB1002"]);
    expect(codes((await loadDescription(join(directory, "no.ts"))).diagnostics)).toEqual([
      "DOMB1001",
    ]);
  });
});

describe("any description", () => {
  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,30}$/);
  const text = fc.string({ unit: "grapheme", minLength: 1 }).filter((t) => !/\p{Cc}/u.test(t));
  const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const domain = fc
    .record({
      kernel: text,
      memory: fc.integer({ min: 1, max: 2 ** 18 }).map((count) => `${count * 4} KiB`),
      cmdline: optional(text),
      ramdisk: optional(text),
      vcpus: optional(fc.constant(1)),
      type: optional(fc.constant("pvh" as const)),
      output: optional(fc.constantFrom("xen-log" as const, "none" as const)),
    })
    .map((keys) => JSON.parse(JSON.stringify(keys)) as LaunchInput["domains"][string]);
  const launch = fc
    .uniqueArray(fc.tuple(name, domain, fc.boolean()), {
      selector: ([key]) => key,
      minLength: 1,
      maxLength: 12,
    })
    .map((entries): LaunchInput => {
      const domains = entries.map(([key, value, given], index) => [
        key,
        given ? { ...value, domid: index * 3 + 1 } : value,
      ]);
      return { domb: 1, domains: Object.fromEntries(domains) };
    });

  it("means the same as an object and as YAML", () => {
    fc.assert(
      fc.property(launch, (input) => {
        const { domains } = launchOf(describeLaunch(input, "/launches"));
        const read = launchOf(readDescription(stringify(input), "/launches/launch.yaml"));
        expect(read.domains).toEqual(domains);
        const domids = domains.map(({ domid }) => domid);
        expect(new Set(domids).size).toBe(domids.length);
      }),
    );
  });

  it("is a value or diagnostics with places, whatever text it is", () => {
    const pieces = fc.constantFrom(
      ..."domb: 1|domains:|\n|  |web|: |{|}|[|]|,|&a |*a|<<|!!str |- |? |'|\"|#|--- |%YAML 1.1\n|~|5|64 MiB|\t|>-\n|__proto__|constructor".split(
        "|",
      ),
    );
    const soup = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: "binary" })), (source) => {
        const result = readDescription(source, "launch.yaml");
        if (!result.ok) expect(result.diagnostics).not.toEqual([]);
        for (const { place } of result.diagnostics) {
          expect(place.line).toBeGreaterThan(0);
          expect(place.column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("is a value or diagnostics, whatever object it is", () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true });
    const near = fc.record({
      domb: fc.oneof(fc.constant(1), anything),
      domains: fc.dictionary(fc.string(), fc.dictionary(fc.string(), anything)),
    });
    fc.assert(
      fc.property(fc.oneof(near, anything), (value) => {
        const result = describeLaunch(value as LaunchInput, "/");
        expect(result.ok).toBe(result.diagnostics.length === 0);
      }),
      { numRuns: 1000 },
    );
  });

  it("has no value that its judge lets pass and the schema does not", () => {
    const key = fc.constantFrom(
      ...["kernel", "ramdisk", "cmdline", "memory", "vcpus", "type", "domid", "output"],
      ...["after", "ready", "onFailure"],
      ...["cpus", "pinned", "weight", "cap", "pool"],
    );
    const near = fc.oneof(
      fc.integer({ min: -1, max: MAX_DOMID + 1 }),
      fc.double(),
      fc.string({ unit: "grapheme", maxLength: 3000 }),
      fc.constantFrom("pvh", "pv", "none", "xen-log", "64 MiB", "64MB", "x".repeat(2048), null),
      fc.anything(),
    );
    fc.assert(
      fc.property(key, near, (name, value) => {
        for (const { message } of withKeys({ [name]: value }).diagnostics) {
          expect(message).not.toContain("a mapping with keys");
        }
      }),
      { numRuns: 2000 },
    );
  });
});
