// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { atOnce, type LaunchDescription } from "../description/description.js";
import { readFiles, readPlainFile } from "./read-files.js";

function describeLaunch(files: readonly { kernel: string; ramdisk?: string }[]): LaunchDescription {
  return {
    source: "launch.yaml",
    domains: files.map((file, index) => ({
      ...file,
      name: `d${index}`,
      cmdline: "",
      memoryBytes: 0x100000,
      vcpus: 1,
      type: "pvh",
      domid: index + 1,
      output: "none",
      onDeath: "leave",
      roles: [],
      recovery: false,
      ...atOnce,
    })),
    links: [],
    placeOf: (path) => ({ path }),
  };
}

describe("readFiles", () => {
  it("reads each file once, however many domains name it", async () => {
    const read: string[] = [];
    const result = await readFiles(
      describeLaunch([{ kernel: "/k", ramdisk: "/r" }, { kernel: "/k" }]),
      async (path) => {
        read.push(path);
        return Buffer.from(path);
      },
    );
    expect(read).toEqual(["/k", "/r"]);
    expect(result.ok && [...result.value.keys()]).toEqual(["/k", "/r"]);
  });

  it("reports every file that can't be read, with its place", async () => {
    const description = describeLaunch([
      { kernel: "/no/such/kernel", ramdisk: "/" },
      { kernel: "/dev/zero" },
      { kernel: "package.json/kernel" },
    ]);
    const result = await readFiles(description, readPlainFile);
    expect(result.diagnostics.map(({ code, place }) => [code, place.path])).toEqual([
      ["DOMB3001", ["domains", "d0", "kernel"]],
      ["DOMB3002", ["domains", "d0", "ramdisk"]],
      ["DOMB3002", ["domains", "d1", "kernel"]],
      ["DOMB3001", ["domains", "d2", "kernel"]],
    ]);
  });

  it("refuses empty files", async () => {
    const result = await readFiles(describeLaunch([{ kernel: "/k" }]), async () => Buffer.alloc(0));
    expect(result.diagnostics.map(({ code }) => code)).toEqual(["DOMB3003"]);
  });
});
