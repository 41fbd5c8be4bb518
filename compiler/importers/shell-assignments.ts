// SPDX-License-Identifier: Apache-2.0
// Reads the assignments of a shell fragment, as ImageBuilder's configuration is one: NAME=value and
// NAME[index]=value, with quotes and comments. Nothing is run: what a shell would expand, and what
// is no assignment, is a fault. Not read: lists in parentheses, several assignments on a line.

import type { Diagnostic, Place } from "../diagnostics/diagnostic.js";
import { importRules } from "./rules.js";

export interface Assignment {
  readonly name: string;
  /** Between the brackets, as written; undefined without brackets. */
  readonly index: string | undefined;
  readonly value: string;
  readonly place: Place;
}

export interface Assignments {
  /** In the order of the text. */
  readonly assignments: readonly Assignment[];
  readonly diagnostics: readonly Diagnostic[];
}

const TARGET = /([A-Za-z_][A-Za-z0-9_]*)(?:\[([0-9]+(?:,[0-9]+)?)\])?=/y;
const BLANKS = /[ \t]*/y;
const PLAIN = /[^\s'"\\$`;&|<>()]+/y;
const SINGLE_QUOTED = /'([^']*)'/y;
/** What a character means to a shell, where it is not plain text. */
const meanings: Readonly<Record<string, string>> = {
  $: "a variable or a command, which a shell would put in",
  "`": "a command, which a shell would run",
  "\\": "a backslash outside of quotes",
  ";": "the end of a command",
  "&": "the end of a command",
  "|": "a pipe",
  "<": "a redirection",
  ">": "a redirection",
  "(": "a list or a command",
  ")": "a list or a command",
  "'": "a single quote that is not closed",
  '"': "a double quote that is not closed",
};

/** Reads all assignments; each faulty line has one diagnostic, and the reading goes on behind it. */
export function readAssignments(text: string, file: string): Assignments {
  const reader = new Reader(text, file);
  reader.read();
  return reader;
}

class Reader implements Assignments {
  readonly assignments: Assignment[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly #text: string;
  readonly #file: string;
  #at = 0;
  /** Number and begin of the line that #at is in, which only grow. */
  #line = 1;
  #lineBegin = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  read(): void {
    while (this.#at < this.#text.length) {
      this.#take(BLANKS);
      if (!this.#isLineEnd()) this.#assignment();
      const end = this.#text.indexOf("\n", this.#at);
      this.#at = end < 0 ? this.#text.length : end + 1;
    }
  }

  #assignment(): void {
    const place = this.#place(this.#at);
    const target = this.#take(TARGET);
    if (target === undefined) {
      this.#fault(this.#at, "no assignment stands here; wanted: NAME=value or NAME[number]=value");
      return;
    }
    const [, name = "", index] = target;
    const value = this.#value();
    if (value === undefined) return;
    this.#take(BLANKS);
    if (!this.#isLineEnd()) {
      this.#fault(this.#at, "a second word follows the value; wanted: the line's end, or quotes");
      return;
    }
    this.assignments.push({ name, index, value, place });
  }

  /** The value that begins here, of parts that stand side by side; undefined: told why not. */
  #value(): string | undefined {
    const parts: string[] = [];
    if (this.#text[this.#at] === "~") {
      this.#expansion(this.#at, "the short name of a folder, which a shell would put in");
      return undefined;
    }
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || /\s/.test(character)) return parts.join("");
      const part =
        character === '"'
          ? this.#doubleQuoted()
          : (this.#take(PLAIN)?.[0] ?? this.#take(SINGLE_QUOTED)?.[1]);
      if (part === undefined) {
        // In double quotes, the place is that of the fault.
        const fault = this.#text[this.#at] ?? "";
        this.#expansion(this.#at, meanings[fault] ?? "a character of no meaning");
        // What follows an open quote is part of it: there is nothing more to read.
        if (fault === "'" || fault === '"') this.#at = this.#text.length;
        return undefined;
      }
      parts.push(part);
    }
  }

  /** Text in double quotes; else undefined, and #at is where the fault lies. */
  #doubleQuoted(): string | undefined {
    const parts: string[] = [];
    const begin = this.#at;
    for (let at = begin + 1; at < this.#text.length; at++) {
      const character = this.#text[at] ?? "";
      if (character === '"') {
        this.#at = at + 1;
        return parts.join("");
      }
      if (character === "$" || character === "`") {
        this.#at = at;
        return undefined;
      }
      const next = this.#text[at + 1];
      // A backslash quotes four characters, joins two lines, and else stands for itself.
      if (character !== "\\" || next === undefined || !'"\\$`\n'.includes(next)) {
        parts.push(character);
        continue;
      }
      if (next !== "\n") parts.push(next);
      at++;
    }
    return undefined;
  }

  #expansion(offset: number, meaning: string): void {
    this.#fault(offset, `here is ${meaning}; wanted: plain text`);
  }

  #isLineEnd(): boolean {
    const character = this.#text[this.#at];
    return character === undefined || character === "\n" || character === "#";
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }

  #place(offset: number): Place {
    for (;;) {
      const end = this.#text.indexOf("\n", this.#lineBegin);
      if (end < 0 || end >= offset) break;
      this.#line++;
      this.#lineBegin = end + 1;
    }
    return { file: this.#file, line: this.#line, column: offset - this.#lineBegin + 1 };
  }

  #fault(offset: number, message: string): void {
    this.diagnostics.push(
      importRules.diagnose("DOMB1503", {
        place: this.#place(offset),
        message,
        fix: "Write the value itself, in single quotes if it has blanks or signs.",
      }),
    );
  }
}
