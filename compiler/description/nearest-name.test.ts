// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { nearestName } from "./nearest-name.js";

const names = ["kernel", "cmdline", "memory", "ramdisk", "domid"];

describe("the nearest name", () => {
  it.each([
    ["memroy", "memory"],
    ["Memory", "memory"],
    ["kernal", "kernel"],
    ["ramdisc", "ramdisk"],
    ["cmdlin", "cmdline"],
    ["domids", "domid"],
  ])("to %s is %s", (name, nearest) => {
    expect(nearestName(name, names)).toBe(nearest);
  });

  it.each(["colour", "", "m", "x".repeat(1_000_000)])("is none where all are far", (name) => {
    expect(nearestName(name, names)).toBeUndefined();
  });
});
