// SPDX-License-Identifier: Apache-2.0
// A domain's paging structures (p2m) with hardware-assisted paging: the tables that map its frames,
// out of the memory that it has for them. Frames are mapped 4 KiB, 2 MiB or 1 GiB at a time.

/** Tables that a domain with a vCPU has before any memory, as measured; one maps 512 GiB from 0. */
const FIRST_TABLES = 11;
/** Each table has 2^9 entries. */
const TABLE_FRAMES = [2 ** 9, 2 ** 18, 2 ** 27] as const;

export class GuestTables {
  /** Level (from 1, the lowest) and number of each table that frames are mapped by. */
  readonly #tables = new Set(["3:0"]);

  /** Pages of all tables. */
  get pages(): number {
    return FIRST_TABLES - 1 + this.#tables.size;
  }

  /** Maps an extent; false if its tables would not fit into `most` pages. */
  map(frame: number, order: number, most: number): boolean {
    const wanted = tablesOf(frame, order).filter((table) => !this.#tables.has(table));
    if (this.pages + wanted.length > most) return false;
    for (const table of wanted) this.#tables.add(table);
    return true;
  }
}

/** The tables that map an extent, aligned to its size; large pages need none of the lower levels. */
function tablesOf(frame: number, order: number): string[] {
  return TABLE_FRAMES.flatMap((frames, level) =>
    order >= 9 * (level + 1) ? [] : [`${level + 1}:${Math.floor(frame / frames)}`],
  );
}
