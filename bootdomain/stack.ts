// SPDX-License-Identifier: Apache-2.0
// How much stack a call takes at most: frames as the C compiler reports them, calls as they are in
// the machine code. Recursion, or a frame of no fixed size, is an error.

import { readFile } from "node:fs/promises";
import { execa } from "execa";
import type { Architecture } from "../setup/paths.js";
import { toolFor } from "./build.js";

/** A return address: what a call through a pointer takes, which only goes to Xen. */
const CALL_BYTES = 8;

/** Functions that are not C: arm64's crash(), in entry.S, takes no stack. */
const assemblyFrames: ReadonlyMap<string, number> = new Map([["crash", 0]]);

/** What calls or jumps to an address: of x86-64, or of arm64 with what it decides by. */
const TO_ADDRESS =
  /\t(?:call|jmp|bl?|b\.\w+|cbn?z|tbn?z)\s+(?:[wx]\d+, )?(?:#\w+, )?[0-9a-f]+ <([^>+]+)/;
const TO_POINTER = /\t(?:(?:call|jmp) +\*|bl?r\t)/;

/** A function's name without what the compiler adds to its variants and parts. */
function baseName(name: string): string {
  return name.replace(/(\.(part|constprop|isra|cold|\d+))+$/, "");
}

/** Bytes of each function's frame, from GCC's `-fstack-usage` files. */
export function parseFrames(usage: string): ReadonlyMap<string, number> {
  const frames = new Map<string, number>();
  for (const line of usage.trim().split("\n")) {
    const match = /:([^:\t]+)\t(\d+)\t(\S+)$/.exec(line);
    if (match === null) throw new Error(`not a line of stack usage: ${line}`);
    const [, name = "", bytes = "", kind = ""] = match;
    if (!/^static$|,bounded$/.test(kind))
      throw new Error(`the frame of ${name} is ${kind}: no bound`);
    const known = frames.get(baseName(name)) ?? 0;
    frames.set(baseName(name), Math.max(Number(bytes), known));
  }
  return frames;
}

/** Which functions each function calls or jumps to, from a disassembly; "*": through a pointer. */
export function parseCalls(disassembly: string): ReadonlyMap<string, ReadonlySet<string>> {
  const calls = new Map<string, Set<string>>();
  let current = new Set<string>();
  let name = "";
  for (const line of disassembly.split("\n")) {
    const label = /^[0-9a-f]+ <([^>+]+)>:$/.exec(line)?.[1];
    if (label !== undefined) {
      name = label;
      current = calls.get(label) ?? new Set();
      calls.set(label, current);
    }
    const target = TO_ADDRESS.exec(line)?.[1];
    if (TO_POINTER.test(line)) current.add("*");
    else if (target !== undefined && target !== name) current.add(target);
  }
  return calls;
}

/** Bytes of stack that a call of `root` takes at most, return address included. */
export function deepestStack(
  root: string,
  frames: ReadonlyMap<string, number>,
  calls: ReadonlyMap<string, ReadonlySet<string>>,
): number {
  const known = new Map<string, number>();
  const depthOf = (name: string, callers: readonly string[]): number => {
    if (name === "*") return CALL_BYTES;
    const found = known.get(name);
    if (found !== undefined) return found;
    const path = [...callers, name];
    if (callers.includes(name)) throw new Error(`recursion: ${path.join(" → ")}`);
    const frame = frames.get(baseName(name)) ?? assemblyFrames.get(name);
    if (frame === undefined) throw new Error(`${name} has no known frame: ${path.join(" → ")}`);
    const callees = [...(calls.get(name) ?? [])].map((callee) => depthOf(callee, path));
    const depth = frame + Math.max(0, ...callees);
    known.set(name, depth);
    return depth;
  };
  return depthOf(root, []);
}

/** The same of a program and the stack usage files of its objects. */
export async function stackOf(
  root: string,
  program: string,
  usageFiles: readonly string[],
  architecture: Architecture = "x86_64",
): Promise<number> {
  const usage = await Promise.all(usageFiles.map((file) => readFile(file, "utf8")));
  const objdump = toolFor(architecture, "objdump");
  const { stdout } = await execa(objdump, ["-d", "--no-show-raw-insn", program]);
  return deepestStack(root, parseFrames(usage.join("")), parseCalls(stdout));
}
