// SPDX-License-Identifier: Apache-2.0
// A domain's paging structures (p2m) with hardware-assisted paging: the tables that map its frames,
// out of the memory that it has for them. Frames are mapped 4 KiB, 2 MiB or 1 GiB at a time.

/** Orders of extents that one entry can map, largest first. */
const ENTRY_ORDERS = [18, 9, 0] as const;
/** Each table has 2^9 entries. */
const TABLE_FRAMES = [2 ** 9, 2 ** 18, 2 ** 27] as const;

export class GuestTables {
  /** Pages that are in use for something else. */
  #others: number;
  /** Level (from 1, the lowest) and number of each table that frames are mapped by. */
  readonly #tables: Set<string>;

  constructor(others: number, tables: readonly string[] = []) {
    this.#others = others;
    this.#tables = new Set(tables);
  }

  /** Pages of all tables. */
  get pages(): number {
    return this.#others + this.#tables.size;
  }

  /** Takes pages for something else than a table. */
  take(pages: number): void {
    this.#others += pages;
  }

  /** Maps an extent; false if its tables would not fit into `most` pages. */
  map(frame: number, order: number, most: number): boolean {
    const wanted = tablesOf(frame, order).filter((table) => !this.#tables.has(table));
    if (this.pages + wanted.length > most) return false;
    for (const table of wanted) this.#tables.add(table);
    return true;
  }
}

/** The tables that map an extent; large pages, which are aligned, need none of the lower levels. */
function tablesOf(frame: number, order: number): string[] {
  const entry = ENTRY_ORDERS.find((one) => one <= order && frame % 2 ** one === 0) ?? 0;
  return TABLE_FRAMES.flatMap((frames, level) => {
    if (entry >= 9 * (level + 1)) return [];
    const first = Math.floor(frame / frames);
    const last = Math.floor((frame + 2 ** order - 1) / frames);
    return Array.from({ length: last - first + 1 }, (_, index) => `${level + 1}:${first + index}`);
  });
}
