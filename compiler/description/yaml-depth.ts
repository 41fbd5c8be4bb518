// SPDX-License-Identifier: Apache-2.0
// How deeply a YAML text nests, found without recursion: composing its values recurses, and V8 may
// abort the whole process where a regular expression is compiled at the stack's end.

import { type CST, Parser } from "yaml";

/** The offset of the first list or mapping that has `limit` others around it, if there is one. */
export function findTooDeep(text: string, limit: number): number | undefined {
  const waiting: { token: CST.Token | null | undefined; depth: number }[] = [];
  for (const token of new Parser().parse(text)) waiting.push({ token, depth: 0 });
  let found: number | undefined;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { token, depth } = next;
    if (token === null || token === undefined) continue;
    if (token.type === "document") waiting.push({ token: token.value, depth });
    if (!("items" in token)) continue;
    if (depth >= limit) {
      found = Math.min(found ?? token.offset, token.offset);
      continue;
    }
    for (const { key, value } of token.items) {
      waiting.push({ token: key, depth: depth + 1 }, { token: value, depth: depth + 1 });
    }
  }
  return found;
}
