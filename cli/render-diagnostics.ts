// SPDX-License-Identifier: Apache-2.0
// Diagnostics as a person reads them: place, code and message, the line of the source with a caret,
// the other party, the fix. Nothing from a file reaches the terminal as a control character.

import { readFileSync } from "node:fs";
import { createColors } from "picocolors";
import type { Diagnostic, Place } from "../compiler/diagnostics/diagnostic.js";

/** Characters of a source line that are shown; of a longer one, those around the caret. */
const EXCERPT_WIDTH = 96;

export interface RenderOptions {
  /** Colours are for terminals. */
  readonly colour: boolean;
  /** The text of a file that a place names; undefined when it can't be read. */
  readonly readSource?: (file: string) => string | undefined;
}

function readTextFile(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** `text` with each control character, and each that turns the writing's direction, made visible. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) =>
    character === "\t" ? " " : "\ufffd",
  );
}

/** A place as `launch.yaml:12:5`, or the path in a description that is a program. */
export function renderPlace({ file, line, column, path }: Place): string {
  const parts = file === undefined ? [] : [file];
  if (line !== undefined) {
    parts.push(String(line));
    if (column !== undefined) parts.push(String(column));
  } else if (path !== undefined && path.length > 0) {
    parts.push(path.join("."));
  }
  return printable(parts.length === 0 ? "launch description" : parts.join(":"));
}

/** All diagnostics, each with an empty line behind it, and their count; empty for none. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  { colour, readSource = readTextFile }: RenderOptions,
): string {
  const colours = createColors(colour);
  const sources = new Map<string, readonly string[]>();
  const excerpt = ({ file, line, column }: Place): readonly string[] => {
    if (file === undefined || line === undefined || column === undefined) return [];
    const lines = sources.get(file) ?? readSource(file)?.split(/\r\n|\n|\r/) ?? [];
    sources.set(file, lines);
    const text = lines[line - 1];
    return text === undefined ? [] : renderExcerpt(text, line, column, colours);
  };
  const blocks = diagnostics.map(({ code, severity, place, message, fix, related }) => {
    const paint = severity === "error" ? colours.red : colours.yellow;
    const head = `${colours.bold(`${renderPlace(place)}:`)} ${paint(`${severity} ${code}`)}`;
    return [
      `${head}: ${printable(message)}`,
      ...excerpt(place),
      ...related.flatMap((other) => [
        `  ${colours.bold(`${renderPlace(other.place)}:`)} ${printable(other.message)}`,
        ...excerpt(other.place),
      ]),
      `  ${colours.green("fix:")} ${printable(fix)}`,
      "",
    ].join("\n");
  });
  return blocks.length === 0 ? "" : `${blocks.join("\n")}\n${renderCount(diagnostics)}\n`;
}

function renderExcerpt(
  text: string,
  line: number,
  column: number,
  colours: ReturnType<typeof createColors>,
): readonly string[] {
  const start = column > EXCERPT_WIDTH ? column - 1 - Math.floor(EXCERPT_WIDTH / 2) : 0;
  const before = start > 0 ? "…" : "";
  const after = text.length > start + EXCERPT_WIDTH ? "…" : "";
  const shown = `${before}${printable(text.slice(start, start + EXCERPT_WIDTH))}${after}`;
  const gutter = `  ${line} | `;
  const indent = " ".repeat(gutter.length + before.length + column - 1 - start);
  return [`${colours.dim(gutter)}${shown}`, `${indent}${colours.red("^")}`];
}

function renderCount(diagnostics: readonly Diagnostic[]): string {
  const of = (severity: Diagnostic["severity"]): string[] => {
    const count = diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? "" : "s"}`];
  };
  return [...of("error"), ...of("warning")].join(", ");
}
