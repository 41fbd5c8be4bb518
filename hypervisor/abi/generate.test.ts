// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import * as xen417 from "../../contract/xen-abi.js";
import * as xen423 from "../../contract/xen-abi-4.23.js";
import { paths } from "../../setup/paths.js";
import { arm64, common } from "./constants.js";
import { arm64AbiPath, generateXenAbi, xenAbiPath } from "./generate.js";

describe("Xen's constants in contract/", () => {
  it("are what the patched Xen's public headers say", async () => {
    expect(await readFile(xenAbiPath("4.17"), "utf8")).toBe(
      await generateXenAbi(paths.xenInclude()),
    );
  });

  it("of arm64 are what the patched Xen's public headers say", async () => {
    expect(await readFile(arm64AbiPath, "utf8")).toBe(
      await generateXenAbi(paths.xenInclude(), [arm64], "arm64"),
    );
  });

  it("that the boot domain's wasm uses are the same on each architecture [RFC-ALIKE]", async () => {
    expect(await generateXenAbi(paths.xenInclude(), [common], "arm64")).toBe(
      await generateXenAbi(paths.xenInclude(), [common]),
    );
  });

  it("have the same names for each Xen, and differ in what the boot domain alone uses", () => {
    const constants = (xen: object): Map<string, number> => new Map(Object.entries(xen));
    const theirs = constants(xen423);
    expect([...theirs.keys()]).toEqual(Object.keys(xen417));
    const differing = [...constants(xen417)].filter(([name, value]) => theirs.get(name) !== value);
    // The first is what an image names its Xen by; the compiler has no use for the others.
    expect(differing.map(([name]) => name)).toEqual([
      "XEN_DOMCTL_INTERFACE_VERSION",
      "XEN_SYSCTL_INTERFACE_VERSION",
      "xen_domctl_u_createdomain_cpupool_id_offset",
      "xen_domctl_u_createdomain_arch_offset",
    ]);
  });
});
