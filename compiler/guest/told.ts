// SPDX-License-Identifier: Apache-2.0
// What a domain is told of its readiness and its links: words behind its own command line, all
// numbers decimal. A domain's own text can't have such words, so that the two can be told apart.

import { TOLD_PREFIX } from "../description/limits.js";
import type { FrameRange } from "./platform.js";

/** It signals that it is ready by binding to `port` of domain `peer`, and notifying it once. */
interface ToldReady {
  readonly kind: "ready";
  readonly peer: number;
  readonly port: number;
}

/** `open`: its own `port` is open for domain `peer`. `bind`: it binds to `port` of domain `peer`. */
interface ToldChannel {
  readonly kind: "open" | "bind";
  readonly link: string;
  readonly peer: number;
  readonly port: number;
}

/**
 * Its own frames from `frame` on, the first of as many references to itself, and its own domid, which
 * a program needs to map them.
 */
interface ToldOwn {
  readonly kind: "own";
  readonly link: string;
  readonly frame: number;
  readonly pages: number;
  readonly reference: number;
  readonly domid: number;
}

/** References of domain `peer` from `reference` on. */
interface ToldMap {
  readonly kind: "map";
  readonly link: string;
  readonly peer: number;
  readonly reference: number;
  readonly pages: number;
  readonly access: "write" | "read";
}

/** One word; domains are their domids. */
export type Told = ToldReady | ToldChannel | ToldOwn | ToldMap;

/** The boot domain's own port by which the domain with this index in its plan says that it is ready. */
export function signalPort(index: number): number {
  return index + 1;
}

/** One word of a command line. */
export function tellWord(told: Told): string {
  const word = (what: string, ...values: readonly (string | number)[]): string =>
    `${TOLD_PREFIX}${what}${values.join(":")}`;
  switch (told.kind) {
    case "ready":
      return word("ready=", told.peer, told.port);
    case "open":
    case "bind":
      return word(`link.${told.link}=`, told.kind, told.peer, told.port);
    case "own": {
      const { link, kind, frame, pages, reference, domid } = told;
      return word(`link.${link}=`, kind, frame, pages, reference, domid);
    }
    case "map": {
      const { link, kind, peer, reference, pages, access } = told;
      return word(`link.${link}=`, kind, peer, reference, pages, access);
    }
  }
}

/** The command line of a domain whose own is `own`. */
export function withTold(own: string, told: readonly Told[]): string {
  return [...(own === "" ? [] : [own]), ...told.map(tellWord)].join(" ");
}

/** A command line taken apart: the domain's own, and what it is told behind it. */
export function readTold(cmdline: string): {
  readonly own: string;
  readonly told: readonly Told[];
} {
  const words = cmdline.split(" ");
  const told: Told[] = [];
  for (;;) {
    const word = readWord(words.at(-1) ?? "");
    if (word === undefined) return { own: words.join(" "), told: told.reverse() };
    told.push(word);
    words.pop();
  }
}

/** The word that `text` is, if it is one as it is told. */
function readWord(text: string): Told | undefined {
  const word = parseWord(text);
  return word !== undefined && tellWord(word) === text ? word : undefined;
}

function parseWord(text: string): Told | undefined {
  const ready = /^domb\.ready=(\d+):(\d+)$/.exec(text);
  if (ready !== null) return { kind: "ready", peer: Number(ready[1]), port: Number(ready[2]) };
  const [, link = "", value = ""] = /^domb\.link\.([^=]+)=(.+)$/.exec(text) ?? [];
  const [kind, ...fields] = value.split(":");
  const [first = 0, second = 0, third = 0, fourth = 0] = fields.map(Number);
  switch (kind) {
    case "open":
    case "bind":
      return { kind, link, peer: first, port: second };
    case "own":
      return { kind, link, frame: first, pages: second, reference: third, domid: fourth };
    case "map": {
      const access = fields[3] === "write" ? "write" : "read";
      return { kind, link, peer: first, reference: second, pages: third, access };
    }
    default:
      return undefined;
  }
}

/** The domain's own memory that is a link's, by ascending frame. */
export function linkMemoryOf(told: readonly Told[]): readonly FrameRange[] {
  return joined(
    told
      .filter((word) => word.kind === "own")
      .map(({ frame, pages }) => ({ start: frame, end: frame + pages })),
  );
}

/** Ranges by ascending frame, those that adjoin as one. */
function joined(ranges: readonly FrameRange[]): readonly FrameRange[] {
  const result: { start: number; end: number }[] = [];
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last !== undefined && last.end === start) last.end = end;
    else result.push({ start, end });
  }
  return result;
}
