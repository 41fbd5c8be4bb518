// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.js";
import { renderDiagnostics, renderPlace } from "./render-diagnostics.js";

const memory: Diagnostic = {
  code: "DOMB1020",
  severity: "error",
  place: { file: "launch.yaml", line: 2, column: 9 },
  message: "memory is 5",
  fix: "Write `5 MiB`.",
  related: [],
};
const source = "domb: 1\nmemory: 5\n";
const render = (diagnostics: readonly Diagnostic[], text?: string, colour = false) =>
  renderDiagnostics(diagnostics, { colour, readSource: () => text });

describe("a rendered diagnostic", () => {
  it("has place, code, source line, caret, other party and fix", () => {
    const place = { file: "launch.yaml", line: 1, column: 1 };
    const related = [{ place, message: "first given here" }];
    expect(render([{ ...memory, related }], source)).toBe(
      [
        "launch.yaml:2:9: error DOMB1020: memory is 5",
        "  2 | memory: 5",
        "              ^",
        "  launch.yaml:1:1: first given here",
        "  1 | domb: 1",
        "      ^",
        "  fix: Write `5 MiB`.",
        "",
        "1 error",
        "",
      ].join("\n"),
    );
  });

  it("has no excerpt where the file is gone or shorter", () => {
    expect(render([memory])).not.toContain("|");
    expect(render([memory], "domb: 1")).not.toContain("|");
    expect(render([{ ...memory, place: { file: "vmlinuz" } }], source)).not.toContain("|");
  });

  it("lets no control character of a file or message through", () => {
    const hostile = render([{ ...memory, message: "\u001b]0;x\u0007" }], "\n\u001b[2J: \u202e5");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
    expect(hostile).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  it("shows of a long line what is around the caret, and the caret below it", () => {
    const text = `\n${"a".repeat(3000)}X${"b".repeat(3000)}`;
    const lines = render([{ ...memory, place: { ...memory.place, column: 3001 } }], text).split(
      "\n",
    );
    expect(lines[1]?.length).toBeLessThan(110);
    expect(lines[2]?.indexOf("^")).toBe(lines[1]?.indexOf("X"));
  });

  it("has colours only where they are asked for", () => {
    expect(render([memory], source, true)).toContain("\u001b[");
    expect(render([memory], source)).not.toContain("\u001b[");
  });

  it("is counted by severity", () => {
    const warning: Diagnostic = { ...memory, severity: "warning" };
    expect(render([memory, warning, memory])).toMatch(/\n2 errors, 1 warning\n$/);
    expect(render([])).toBe("");
  });
});

describe("a rendered place", () => {
  it("is the path where there is no line", () => {
    const path = ["domains", "web", 0];
    expect(renderPlace({ file: "launch.ts", path })).toBe("launch.ts:domains.web.0");
    expect(renderPlace({ path })).toBe("domains.web.0");
    expect(renderPlace({ path: [] })).toBe("launch description");
  });
});
