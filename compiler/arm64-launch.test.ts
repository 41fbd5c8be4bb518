// SPDX-License-Identifier: Apache-2.0
// Launches for arm64 as a whole: their architecture, their board, and images taken apart again.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { MACHINE_ARM64 } from "../contract/image.js";
import { XEN_DOMCTL_CONFIG_GIC_V2, XEN_DOMCTL_CONFIG_GIC_V3 } from "../contract/xen-abi-arm64.js";
import { compiled, described } from "../lab/lab-bench.js";
import { paths } from "../setup/paths.js";
import { type CompilerEdge, compileLaunch, fileSystem } from "./compile.js";
import type { LaunchInput } from "./description/define-launch.js";
import type { DeviceTreeNode } from "./device-tree/device-tree.js";
import { encodeDeviceTree } from "./device-tree/encode.js";
import { cells, cells64, texts } from "./device-tree/values.js";
import { explainImage } from "./explain/explain.js";
import { decodeImage } from "./image/decode-image.js";
import { updateImage } from "./update/update-image.js";

const hello = "build/guests/arm64/hello.elf";
const probe = "build/guests/arm64/probe.image";
const x86Hello = "build/guests/hello.elf";
const GIB = 0x40000000;
const HERTZ = 8_000_000;

const web = (more: object = {}) => ({ kernel: hello, memory: "16 MiB", ...more });
const launchOf = (more: Partial<LaunchInput>, domain: object = {}): LaunchInput => ({
  domb: 1,
  domains: { web: web(domain), other: web({ cmdline: "other", output: "xen-log" }) },
  ...more,
});

function node(name: string, properties: Readonly<Record<string, Uint8Array>>): DeviceTreeNode {
  return { name, properties: new Map(Object.entries(properties)), children: [] };
}

/** A board with this interrupt controller and so much memory. */
function boardOf(gic: string | undefined, memoryBytes: number): Uint8Array {
  const children = [
    node("memory@40000000", { device_type: texts("memory"), reg: cells64(GIB, memoryBytes) }),
    ...(gic === undefined ? [] : [node("intc@8000000", { compatible: texts(gic) })]),
    node("timer", { compatible: texts("arm,armv8-timer"), "clock-frequency": cells(HERTZ) }),
  ];
  const root = {
    ...node("", { "#address-cells": cells(2), "#size-cells": cells(2) }),
    children: memoryBytes === 0 ? children.slice(1) : children,
  };
  return encodeDeviceTree({ bootCpu: 0, reservations: [], root });
}

/** Compiles with this board in the place of any file that is called board.dtb. */
function compileWith(launch: LaunchInput, board: Uint8Array) {
  const edge: CompilerEdge = {
    readFile: async (path) => (path.endsWith("board.dtb") ? board : fileSystem.readFile(path)),
  };
  const host = { ...launch.host, board: "./board.dtb" };
  return compileLaunch(described({ ...launch, host }), edge);
}

describe("a launch for arm64", () => {
  it("is known by its kernels, and its image says so [RFC-ALIKE]", async () => {
    const { architecture, image } = await compiled(launchOf({}));
    expect(architecture).toBe("arm64");
    expect(Buffer.from(image).readUInt32LE(8)).toBe(MACHINE_ARM64);
    const { architecture: other } = await compiled(launchOf({}, { kernel: probe }));
    expect(other).toBe("arm64");
  });

  it("is refused kernels of two architectures, or of another than it says", async () => {
    const mixed = { domb: 1, domains: { web: web(), other: web({ kernel: x86Hello }) } } as const;
    for (const launch of [mixed, launchOf({ arch: "x86_64" })]) {
      const result = await compileLaunch(described(launch));
      expect(result.diagnostics[0]).toMatchObject({
        code: "DOMB3012",
        fix: "Give a kernel for the host's architecture.",
      });
    }
  });

  it.each([
    ["arm,gic-v3", XEN_DOMCTL_CONFIG_GIC_V3],
    ["arm,gic-400", XEN_DOMCTL_CONFIG_GIC_V2],
  ])("gives its domains the interrupt controller of its board, %s", async (gic, devices) => {
    const result = await compileWith(launchOf({}), boardOf(gic, GIB));
    expect(result.ok && result.value.plan.domains.map((domain) => domain.devices)).toEqual([
      devices,
      devices,
    ]);
  });

  it("is refused a board that says too little, or has too little memory", async () => {
    const codes = async (board: Uint8Array): Promise<string | undefined> => {
      const result = await compileWith(launchOf({}), board);
      return result.diagnostics[0]?.code;
    };
    expect(await codes(boardOf(undefined, GIB))).toBe("DOMB3013");
    expect(await codes(boardOf("arm,gic-v3", 0))).toBe("DOMB3013");
    expect(await codes(boardOf("arm,gic-v3", 64 * 0x100000))).toBe("DOMB3014");
    expect(await codes(new Uint8Array(100))).toBe("DOMB3101");
  });

  it("counts the smaller of the board's memory and what the description says", async () => {
    const codes = async (memory: string, board: number): Promise<readonly string[]> => {
      const result = await compileWith(
        launchOf({ host: { memory } }),
        boardOf("arm,gic-v3", board),
      );
      return result.diagnostics.map(({ code }) => code);
    };
    expect(await codes("1 GiB", GIB)).toEqual([]);
    expect(await codes("64 MiB", GIB)).toEqual(["DOMB4104"]);
    expect(await codes("1 GiB", GIB / 16)).toEqual(["DOMB3014"]);
  });

  it("with a domain of several vCPUs has the device tree of all of them", async () => {
    const { plan } = await compiled(launchOf({}, { vcpus: 4 }));
    expect(plan.domains.map(({ vcpus }) => vcpus)).toEqual([4, 1]);
  });

  it("reads like this", async () => {
    const { image } = await compiled(launchOf({}));
    const decoded = decodeImage(image);
    if (!decoded.ok) throw new Error("the image does not decode");
    const text = explainImage(decoded.value);
    expect(text).toContain("for arm64 Xen with domctl interface");
    expect(text).toMatch(/start {2}at 0x4[0-9a-f]{7}, x0 0x4[0-9a-f]{7}/);
    expect(text).toContain('told   "other"');
  });

  it("gives the same image, byte for byte, each time", async () => {
    const digests = await Promise.all(
      [1, 2].map(async () => {
        const { image } = await compiled(launchOf({}));
        return createHash("sha256").update(image).digest("hex");
      }),
    );
    expect(new Set(digests).size).toBe(1);
  });
});

describe("an update of an arm64 image", () => {
  let image: Uint8Array;
  let build: (web: object) => Promise<Uint8Array>;
  const place = { file: "launch.img" };
  const file = async (path: string) => ({
    path,
    bytes: new Uint8Array(await readFile(join(paths.checkout, path))),
    place: {},
  });

  beforeAll(async () => {
    build = async (web) => {
      const result = await compileWith(
        launchOf({}, { vcpus: 2, ...web }),
        boardOf("arm,gic-400", GIB),
      );
      if (!result.ok) throw new Error("the launch does not compile");
      return result.value.image;
    };
    image = await build({});
  });

  async function updated(change: object) {
    const decoded = decodeImage(image);
    if (!decoded.ok) throw new Error("the image does not decode");
    const named = { domain: "web", ...change };
    return updateImage(image, decoded.value, named, { place, launchVersion: 1 });
  }

  it("gives the image that is built so from the start", async () => {
    const result = await updated({ kernel: await file(probe), cmdline: "new" });
    const built = await build({ kernel: probe, cmdline: "new" });
    expect(result.ok && Buffer.compare(result.value.image, built)).toBe(0);
  });

  it("refuses a kernel of the other architecture", async () => {
    const result = await updated({ kernel: await file(x86Hello) });
    expect(result.diagnostics[0]?.code).toBe("DOMB3012");
  });
});
