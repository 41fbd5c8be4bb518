// SPDX-License-Identifier: Apache-2.0
// YAML 1.2 (core schema) to plain values, with the place of every key and value kept. No text
// makes it throw: what can't be a value is a diagnostic. What the values mean is not known here.

import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import type { Diagnostic, Place } from "../diagnostics/diagnostic.js";
import { show } from "./judges.js";
import { MAX_NESTING } from "./limits.js";
import { type Path, type Places, subjectOf } from "./places.js";
import { descriptionRules } from "./rules.js";
import { findTooDeep } from "./yaml-depth.js";

export interface YamlReading {
  /** Undefined when the text is not YAML at all: then nothing else of it can be checked. */
  readonly content: { readonly value: unknown } | undefined;
  readonly places: Places;
  readonly diagnostics: readonly Diagnostic[];
}

/** Is the value at this diagnostic's path lost, so that later checks would miss it? */
export function leavesUnread({ code }: Diagnostic): boolean {
  return code === "DOMB1004" || code === "DOMB1006";
}

/** Reads `text`; `file` is what places name. */
export function readYaml(text: string, file: string): YamlReading {
  const lines = new LineCounter();
  const reader = new Reader(file, lines);
  const tooDeep = findTooDeep(text, MAX_NESTING);
  if (tooDeep !== undefined) {
    const before = text.slice(0, tooDeep).split("\n");
    const place = { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    return { content: undefined, places: reader, diagnostics: [nestingTooDeep(place)] };
  }
  const tree = parseDocument(text, {
    version: "1.2",
    schema: "core",
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "error",
    lineCounter: lines,
  });
  const syntax = [...tree.errors, ...tree.warnings];
  if (syntax.length > 0) {
    const diagnostics = syntax.map((error) => reader.syntaxError(error));
    return { content: undefined, places: reader, diagnostics };
  }
  const value = reader.readTop(tree.contents);
  return { content: { value }, places: reader, diagnostics: reader.diagnostics };
}

function nestingTooDeep(place: Place): Diagnostic {
  return descriptionRules.diagnose("DOMB1007", {
    place,
    message: `lists and mappings are nested more than ${MAX_NESTING} deep`,
    fix: "Remove the outer brackets.",
  });
}

/** What a syntax error's fix is, where the library's code of it says enough. */
const syntaxFixes: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "Indent with spaces.",
  BAD_INDENT: "Indent alike what belongs together, and close each bracket.",
  MULTIPLE_DOCS: "Keep one document: remove the line `---` and what is below.",
  TAG_RESOLVE_FAILED: "Remove the tag: no value of a description needs one.",
};

class Reader implements Places {
  readonly diagnostics: Diagnostic[] = [];
  readonly #file: string;
  readonly #lines: LineCounter;
  #top: Node | null = null;
  readonly #anchors = new Map<string, Node>();
  readonly #targets = new Map<Alias, Node>();
  readonly #values = new Map<Node, unknown>();
  /** Nodes that are being read, from the top to the present one. */
  readonly #open = new Set<Node>();
  readonly #pairs = new Map<YAMLMap, Map<string, Pair<Node, Node | null>>>();

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  readTop(top: Node | null): unknown {
    this.#top = top;
    return this.#read(top, []);
  }

  syntaxError(error: YAMLError): Diagnostic {
    return descriptionRules.diagnose("DOMB1003", {
      place: this.#at(error.pos[0]),
      // The library's sentence; here it follows a colon.
      message: error.message.charAt(0).toLowerCase() + error.message.slice(1),
      fix: syntaxFixes[error.code] ?? "Correct the YAML here.",
    });
  }

  ofValue(path: Path): Place {
    const { key, value } = this.#nearest(path);
    return { ...this.#of(value ?? key), path };
  }

  ofKey(path: Path): Place {
    const { key, value } = this.#nearest(path);
    return { ...this.#of(key ?? value), path };
  }

  #at(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #of(node: Node | null | undefined): Place {
    return this.#at(node?.range?.[0] ?? 0);
  }

  /** The node at `path`, or as far down as there is one. */
  #nearest(path: Path): { key: Node | null; value: Node | null } {
    let found: { key: Node | null; value: Node | null } = { key: null, value: this.#top };
    for (const step of path) {
      const around = isAlias(found.value) ? this.#targets.get(found.value) : found.value;
      if (isMap(around)) {
        const pair = this.#pairs.get(around)?.get(String(step));
        if (pair === undefined) break;
        found = { key: pair.key, value: pair.value };
      } else if (isSeq(around)) {
        const item = around.items[Number(step)];
        if (item === undefined) break;
        found = { key: null, value: item as Node };
      } else break;
    }
    return found;
  }

  #read(node: Node | null, path: Path): unknown {
    if (node === null) return null;
    if (isAlias(node)) return this.#readAlias(node, path);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) {
      this.#values.set(node, node.value);
      return node.value;
    }
    this.#open.add(node);
    const value = isMap(node)
      ? this.#readMap(node as YAMLMap<Node, Node | null>, path)
      : isSeq(node)
        ? node.items.map((item, index) => this.#read(item as Node | null, [...path, index]))
        : undefined;
    this.#open.delete(node);
    this.#values.set(node, value);
    return value;
  }

  #readAlias(alias: Alias, path: Path): unknown {
    const target = this.#anchors.get(alias.source);
    if (target !== undefined && !this.#open.has(target)) {
      this.#targets.set(alias, target);
      return this.#values.get(target);
    }
    this.diagnostics.push(
      descriptionRules.diagnose("DOMB1004", {
        place: { ...this.#of(alias), path },
        message:
          target === undefined
            ? `no anchor &${alias.source} comes before the alias *${alias.source}`
            : `the alias *${alias.source} stands within the value that it stands for`,
        fix: "Write the value out.",
      }),
    );
    return undefined;
  }

  #readMap(map: YAMLMap<Node, Node | null>, path: Path): unknown {
    const pairs = new Map<string, Pair<Node, Node | null>>();
    this.#pairs.set(map, pairs);
    const entries: [string, unknown][] = [];
    for (const pair of map.items) {
      const keyValue = this.#read(pair.key, path);
      const key = typeof keyValue === "string" ? keyValue : show(keyValue);
      if (typeof keyValue !== "string") {
        this.diagnostics.push(this.#keyNotText(pair.key, keyValue, [...path, key]));
      }
      const first = pairs.get(key);
      const value = this.#read(pair.value, [...path, key]);
      if (first === undefined) {
        pairs.set(key, pair);
        entries.push([key, value]);
      } else this.diagnostics.push(this.#duplicate(key, pair.key, first.key, path));
    }
    return Object.fromEntries(entries);
  }

  #keyNotText(node: Node, key: unknown, path: Path): Diagnostic {
    const simple = typeof key === "number" || typeof key === "boolean" || key === null;
    return descriptionRules.diagnose("DOMB1006", {
      place: { ...this.#of(node), path },
      message: `a key of ${subjectOf(path.slice(0, -1))} is ${show(key)}; wanted: text`,
      fix: simple ? `Put it in quotes, if ${show(key)} is meant as text.` : "Write a name.",
    });
  }

  #duplicate(key: string, node: Node, first: Node, path: Path): Diagnostic {
    const isDomain = path.length === 1 && path[0] === "domains";
    const place = { ...this.#of(node), path: [...path, key] };
    const related = [
      { place: { ...this.#of(first), path: [...path, key] }, message: "first given here" },
    ];
    return isDomain
      ? descriptionRules.diagnose("DOMB2001", {
          place,
          message: `two domains have the name ${key}`,
          fix: "Rename one of them.",
          related,
        })
      : descriptionRules.diagnose("DOMB1008", {
          place,
          message: `${subjectOf(path)} has the key ${show(key)} twice`,
          fix: "Keep one of them.",
          related,
        });
  }
}
