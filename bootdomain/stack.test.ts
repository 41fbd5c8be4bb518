// SPDX-License-Identifier: Apache-2.0
// The stack that a launch takes at most, from frames and calls of the machine code.

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { paths } from "../setup/paths.js";
import { objectFolder, STACK_BYTES } from "./build.js";
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

  it("is the same of arm64's calls, jumps and branches", () => {
    const arm64 = parseCalls(
      [
        "0000000000001000 <launch>:",
        "    1000:\tbl\t2000 <digest>",
        "    1004:\tbl\t3000 <leaf>",
        "0000000000002000 <digest>:",
        "    2000:\tb.ne\t2010 <digest+0x10>  // b.any",
        "    2004:\ttbz\tw0, #3, 2100 <digest.part.0>",
        "    2008:\tcbz\tx0, 200c <digest+0xc>",
        "0000000000002100 <digest.part.0>:",
        "    2100:\tblr\tx1",
        "0000000000003000 <leaf>:",
        "    3000:\tb\t3004 <leaf+0x4>",
      ].join("\n"),
    );
    expect(arm64).toEqual(calls);
  });

  it("is not to be had with recursion, frames without bound or functions unknown", () => {
    const around = parseCalls("01 <leaf>:\n 1:\tcall 2 <launch>\n02 <launch>:\n 2:\tcall 1 <leaf>");
    expect(() => deepestStack("leaf", frames, around)).toThrow("recursion: leaf → launch → leaf");
    expect(() => parseFrames("a.c:1:1:wild\t8\tdynamic")).toThrow("the frame of wild is dynamic");
    expect(() => deepestStack("other", frames, calls)).toThrow("other has no known frame");
  });

  it.each(["x86_64", "arm64"] as const)(
    "of the boot domain for %s fits into its stack many times over",
    async (architecture) => {
      const folder = objectFolder(join(paths.build, "bootdomain"), architecture);
      const usage = ["domb.su", "machine.su"].map((name) => join(folder, name));
      const bytes = await stackOf("start", join(folder, "domb.elf"), usage, architecture);
      expect(bytes).toBeGreaterThan(100);
      expect(bytes).toBeLessThan(STACK_BYTES / 4);
    },
  );
});
