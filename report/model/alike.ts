// SPDX-License-Identifier: Apache-2.0
// Many domains that are alike are shown once: a launch of a hundred clones has few pictures.

/** Indexes of the items that have the same key, in the order in which each key was first met. */
export function alike<Item>(
  items: readonly Item[],
  keyOf: (item: Item, index: number) => string,
): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  for (const [index, item] of items.entries()) {
    const key = keyOf(item, index);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  }
  return [...groups.values()];
}

/** More names than this are not listed. */
const LISTED = 3;

/** Names as people say them: all of a few; of many that differ in a number, the first and the last. */
export function namesInShort(names: readonly string[]): string {
  if (names.length <= LISTED) return names.join(", ");
  const stems = new Set(names.map((name) => name.replace(/\d+$/, "")));
  if (stems.size === 1) return `${names[0]} … ${names.at(-1)} (${names.length})`;
  return `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`;
}
