// SPDX-License-Identifier: Apache-2.0
// The stack that a launch takes at most, from frames and calls of the machine code.

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { paths } from "../setup/paths.js";
import { STACK_BYTES } from "./build.js";
import { deepestStack, parseCalls, parseFrames, stackOf } from "./stack.js";

const frames = parseFrames(
  [
    "a.c:1:1:launch\t32\tstatic",
    "a.c:2:1:digest\t100\tstatic",
    "a.c:3:1:digest.part\t48\tdynamic,bounded",
    "a.c:9:1:leaf\t8\tstatic",
  ].join("\n"),
);

const calls = parseCalls(
  [
    "0000000000001000 <launch>:",
    "    1000:\tcall   2000 <digest>",
    "    1005:\tcall   3000 <leaf>",
    "0000000000002000 <digest>:",
    "    2000:\tjne    2010 <digest+0x10>",
    "    2002:\tjmp    2100 <digest.part.0>",
    "0000000000002100 <digest.part.0>:",
    "    2100:\tcall   *%rax",
    "0000000000003000 <leaf>:",
    "    3000:\tjmp    3004 <leaf+0x4>",
  ].join("\n"),
);

describe("the deepest stack", () => {
  it("is that of the deepest calls, parts of functions and pointers included", () => {
    expect(deepestStack("leaf", frames, calls)).toBe(8);
    expect(deepestStack("launch", frames, calls)).toBe(32 + 100 + 100 + 8);
  });

  it("is not to be had with recursion, frames without bound or functions unknown", () => {
    const around = parseCalls("01 <leaf>:\n 1:\tcall 2 <launch>\n02 <launch>:\n 2:\tcall 1 <leaf>");
    expect(() => deepestStack("leaf", frames, around)).toThrow("recursion: leaf → launch → leaf");
    expect(() => parseFrames("a.c:1:1:wild\t8\tdynamic")).toThrow("the frame of wild is dynamic");
    expect(() => deepestStack("other", frames, calls)).toThrow("other has no known frame");
  });

  it("of the boot domain fits into its stack many times over", async () => {
    const built = (name: string): string => join(paths.build, "bootdomain", name);
    const bytes = await stackOf("start", built("domb.elf"), [
      built("domb.su"),
      built("machine.su"),
    ]);
    expect(bytes).toBeGreaterThan(100);
    expect(bytes).toBeLessThan(STACK_BYTES / 4);
  });
});
