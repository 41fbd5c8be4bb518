// SPDX-License-Identifier: Apache-2.0

import { beforeAll, describe, expect, it } from "vitest";
import { compileLaunch } from "../compile.js";
import { atOnce, type LaunchDescription, type Link } from "../description/description.js";
import { buildElf } from "../materials/elf-builder.js";
import { linkEnds, privilegesOfLaunch } from "../privileges/privileges.js";
import { type DecodedImage, decodeImage, explainImage, explanationOf } from "./explain.js";
import { readContext, readStartOfDay } from "./x86-start.js";

const MIB = 0x100000;
const description: LaunchDescription = {
  source: "launch.yaml",
  domains: ["storage", "web"].map((name, index) => ({
    name,
    kernel: "/kernel",
    cmdline: `name=${name}`,
    memoryBytes: 4 * MIB,
    vcpus: 1,
    type: "pvh",
    domid: index + 1,
    output: index === 0 ? "xen-log" : "none",
    onDeath: "leave",
    roles: [],
    recovery: false,
    ...atOnce,
  })),
  links: [],
  placeOf: () => ({}),
};

async function imageOf(launch: LaunchDescription): Promise<DecodedImage> {
  const kernel = buildElf([{ address: MIB, bytes: Buffer.from("code"), memoryBytes: 0x3000 }], MIB);
  const compiled = await compileLaunch(launch, { readFile: async () => kernel });
  const decoded = compiled.ok ? decodeImage(compiled.value.image) : compiled;
  if (!decoded.ok) throw new Error("bug: no image");
  return decoded.value;
}

let image: DecodedImage;
beforeAll(async () => {
  image = await imageOf(description);
});

describe("explanationOf", () => {
  it("has each byte of a guest's memory in one region", () => {
    for (const { memory, memoryBytes } of explanationOf(image).domains) {
      const inMemory = memory.filter(({ what }) => what !== "reserved");
      let next = 0;
      for (const { address, bytes } of inMemory) {
        expect(address).toBe(next);
        next = address + bytes;
      }
      expect(next).toBe(memoryBytes);
    }
  });

  it("says what lies where, and how much of it is cleared", () => {
    expect(explanationOf(image).domains[0]?.memory).toEqual([
      { address: 0, bytes: MIB, what: "free", clearedBytes: 0 },
      { address: MIB, bytes: 0x3000, what: "kernel", clearedBytes: 0x2000 },
      { address: MIB + 0x3000, bytes: 0x1000, what: "startOfDay", clearedBytes: 0 },
      { address: MIB + 0x4000, bytes: 3 * MIB - 0x4000, what: "free", clearedBytes: 0 },
      { address: 0xfc000000, bytes: 64 * MIB, what: "reserved", clearedBytes: 0 },
    ]);
  });

  it("says what each domain is told and where it starts", () => {
    expect(
      explanationOf(image).domains.map(({ cmdline, start, output }) => ({
        cmdline,
        start,
        output,
      })),
    ).toEqual([
      {
        cmdline: "name=storage",
        start: { entry: MIB, startInfo: MIB + 0x3000 },
        output: "xen-log",
      },
      { cmdline: "name=web", start: { entry: MIB, startInfo: MIB + 0x3000 }, output: "none" },
    ]);
  });

  it("says which domains use a material", () => {
    expect(explanationOf(image).materials.map(({ kind, usedBy }) => [kind, usedBy])).toEqual([
      ["kernel", ["storage", "web"]],
      ["startOfDay", ["storage"]],
      ["vcpuContext", ["storage", "web"]],
      ["startOfDay", ["web"]],
    ]);
  });

  it("is plain JSON", () => {
    const explanation = explanationOf(image);
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
  });
});

describe("explainImage", () => {
  it("reads like this", () => {
    const stable = explainImage(image).replaceAll(/sha256 [0-9a-f]{64}/g, "sha256 …");
    expect(stable).toMatchInlineSnapshot(`
      "Launch image, 36 KiB
        format 4, for x86-64 Xen with domctl interface 0x15
        plan   1.09 KiB, sha256 …
        launch version 1, verify none, not signed
        drops  control, xenstore, console, hardware: nobody gets these roles

      Domain storage, domid 1: 1 vCPU, 4 MiB of memory, 1.03 MiB for paging, writes to Xen's log
        limits event channels to port 127, 4 grant frames, 0 maptrack frames
        ready  once started; its failure ends the launch
        told   "name=storage"
        ACPI   XSDT, FACP, DSDT, APIC; 1 local APIC: 0
        start  at 0x100000, ebx 0x103000
        memory
          000000000-0000fffff       1 MiB  free
          000100000-000102fff      12 KiB  kernel, 8 KiB of it zeros
          000103000-000103fff       4 KiB  start of day
          000104000-0003fffff    2.98 MiB  free
          0fc000000-0ffffffff      64 MiB  reserved
        step 1, at once; shared with web
              1  verify material 1 (kernel)
              2  create the domain
              3  allocate vCPUs
              4  set the paging pool
              5  limit the memory
              6  populate 000000000-0003fffff, 4 MiB in extents of 2 MiB
              7  copy 000100000-000100fff, 4 KiB from material 1 (kernel) at 0x0
              8  clear 000101000-000102fff, 8 KiB
        step 3, after step 1
              9  verify material 2 (start of day)
             10  verify material 3 (vCPU context)
             11  copy 000103000-000103fff, 4 KiB from material 2 (start of day) at 0x0
             12  set the context of vCPUs from material 3 (vCPU context)
        step 5, after step 3; shared with web
             17  start the domain

      Domain web, domid 2: 1 vCPU, 4 MiB of memory, 1.03 MiB for paging, writes nowhere
        limits event channels to port 127, 4 grant frames, 0 maptrack frames
        ready  once started; its failure ends the launch
        told   "name=web"
        ACPI   XSDT, FACP, DSDT, APIC; 1 local APIC: 0
        start  at 0x100000, ebx 0x103000
        memory
          000000000-0000fffff       1 MiB  free
          000100000-000102fff      12 KiB  kernel, 8 KiB of it zeros
          000103000-000103fff       4 KiB  start of day
          000104000-0003fffff    2.98 MiB  free
          0fc000000-0ffffffff      64 MiB  reserved
        step 2, at once; shared with storage
          operations 1 to 8, as in step 1
        step 4, after step 2
             13  verify material 4 (start of day)
             14  verify material 3 (vCPU context)
             15  copy 000103000-000103fff, 4 KiB from material 4 (start of day) at 0x0
             16  set the context of vCPUs from material 3 (vCPU context)
        step 6, after step 4; shared with storage
             17  start the domain

      Materials
          1  kernel             4 KiB at 0x5000  sha256 …  for storage, web
          2  start of day       4 KiB at 0x6000  sha256 …  for storage
          3  vCPU context     1.3 KiB at 0x7000  sha256 …  for storage, web
          4  start of day       4 KiB at 0x8000  sha256 …  for web

      Totals: 2 domains, 6 steps, 17 operations (26 executed), 4 materials of 13.3 KiB
        needs a host with 81.86 MiB of memory at least
      "
    `);
  });
});

describe("a launch with links", () => {
  const links: readonly Link[] = [
    { kind: "event-channel", name: "bell", first: "storage", second: "web" },
    {
      ...{ kind: "shared-memory", name: "ring", bytes: 0x10000, owner: "web" },
      ...{ writers: ["storage"], readers: [] },
    },
    {
      ...{ kind: "shared-memory", name: "log", bytes: 0x1000, owner: "web" },
      ...{ writers: [], readers: ["storage"] },
    },
  ];
  let linked: DecodedImage;
  beforeAll(async () => {
    linked = await imageOf({ ...description, links });
  });

  it("says of each domain what it has of them, and where", () => {
    const lines = explainImage(linked).split("\n");
    expect(lines.filter((line) => /^ {2}(link|limits) |link memory$/.test(line))).toEqual([
      "  limits event channels to port 128, 4 grant frames, 1 maptrack frame",
      "  link   bell: event channel, its port 1 is open for web",
      "  link   ring: 64 KiB of web's memory, to map by references 2542 to 2557 and write",
      "  link   log: 4 KiB of web's memory, to map by reference 2559 and only read",
      "  limits event channels to port 128, 5 grant frames, 1 maptrack frame",
      "  link   bell: event channel, to bind to port 1 of storage",
      "  link   ring: 64 KiB of its memory, 0003f0000-0003fffff, which it maps by references 2526 to 2541 of its own",
      "  link   log: 4 KiB of its memory, 0003ef000-0003effff, which it maps by reference 2558 of its own",
      "    0003ef000-0003fffff      68 KiB  link memory",
    ]);
  });

  it("has all memory of links cleared, and in one region", () => {
    const [, web] = explanationOf(linked).domains;
    expect(web?.memory.filter(({ what }) => what === "linkMemory" || what === "zeros")).toEqual([
      { address: 0x3ef000, bytes: 0x11000, what: "linkMemory", clearedBytes: 0x11000 },
    ]);
  });

  it("gives its domains the privileges that its description says", () => {
    const { domains } = explanationOf(linked);
    const privileges = privilegesOfLaunch(
      domains,
      new Map(),
      (name) => domains.find((domain) => domain.name === name)?.links ?? [],
    );
    expect(privileges).toEqual(
      privilegesOfLaunch(description.domains, new Map(), (name) => linkEnds(links, name)),
    );
    expect(privileges).toHaveLength(5);
  });
});

describe("readStartOfDay and readContext", () => {
  it("survive bytes that are neither", () => {
    for (const fill of [0, 1, 0x7f, 0xff]) {
      for (const length of [0, 7, 8, 60, 100, 4096]) {
        const bytes = new Uint8Array(length).fill(fill);
        expect(readStartOfDay(bytes, 0).memoryMap.length).toBeLessThanOrEqual(length / 24);
        expect(readContext(bytes)).toBeUndefined();
      }
    }
  });
});
