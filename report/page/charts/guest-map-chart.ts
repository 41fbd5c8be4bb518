// SPDX-License-Identifier: Apache-2.0
// A guest's memory as a strip: what lies where, in the order of addresses. Small regions are drawn
// wider than they are, and holes narrower, so that each can be seen.

import type { Mark } from "vega";
import type { GuestRegion } from "../../../compiler/explain/guest-memory.js";
import { namesInShort } from "../../model/alike.js";
import type { GuestMap } from "../../model/memory-maps.js";
import { formatBytes } from "../../units.js";
import { regionWords } from "../../words.js";
import { CHART_WIDTH, type Chart } from "../chart.js";

const STRIP = 28;
const TOP = 4;
const LEAST_REGION = 6;
const RESERVED = 74;
const HOLE = 18;
const CHARACTER = 7;
/** Room of an address under the strip. */
const ADDRESS = 86;

const paints: Readonly<Record<GuestRegion["what"], string>> = {
  kernel: "var(--kernel)",
  ramdisk: "var(--ramdisk)",
  startOfDay: "var(--ready)",
  vcpuContext: "var(--start)",
  zeros: "url(#zeros)",
  linkMemory: "var(--good)",
  free: "var(--free)",
  reserved: "url(#wait)",
};

/** An address as hexadecimal, as people compare it with a kernel's output. */
export function addressText(address: number): string {
  return `0x${address.toString(16)}`;
}

export function guestMapChart({ domains, bytes, regions }: GuestMap): Chart {
  const holes = regions.map((region, index) => {
    const before = regions[index - 1];
    return before !== undefined && before.address + before.bytes < region.address;
  });
  /** What is reserved is not memory: its size says nothing. */
  const sized = regions.map(({ what, bytes: size }) => (what === "reserved" ? 0 : size));
  const total = sized.reduce((sum, size) => sum + size, 0);
  const fixed = sized.map((size) => (size === 0 ? RESERVED : LEAST_REGION));
  const room =
    CHART_WIDTH -
    fixed.reduce((sum, width) => sum + width, 0) -
    holes.filter(Boolean).length * HOLE -
    2;
  let place = 1;
  const drawn = regions.map((region, index) => {
    if (holes[index]) place += HOLE;
    const width = (fixed[index] ?? 0) + ((sized[index] ?? 0) / Math.max(total, 1)) * room;
    const name = regionWords[region.what];
    const isPatterned = region.what === "zeros" || region.what === "reserved";
    const part = {
      ...{ what: region.what, place, width, paint: paints[region.what] },
      name: name.length * CHARACTER + 10 < width && !isPatterned ? name : "",
      address: addressText(region.address),
      text: `${name} · ${addressText(region.address)} · ${formatBytes(region.bytes)}`,
    };
    place += width;
    return part;
  });
  return {
    label: `Memory of ${namesInShort(domains)}, ${formatBytes(bytes)}`,
    spec: {
      ...{ width: CHART_WIDTH, height: TOP + STRIP + 22, autosize: "none" },
      data: [
        { name: "regions", values: drawn },
        { name: "addresses", values: addressesWithRoom(drawn) },
      ],
      marks,
    },
  };
}

/** Of the regions those whose address has room under the strip; what is put there comes first. */
function addressesWithRoom<Drawn extends { what: string; place: number; width: number }>(
  drawn: readonly Drawn[],
): Drawn[] {
  const rank = ({ what }: Drawn): number => (what === "free" ? 1 : 0);
  const taken: Drawn[] = [];
  for (const one of drawn.toSorted((a, b) => rank(a) - rank(b) || b.width - a.width)) {
    const isFree = taken.every(({ place }) => Math.abs(place - one.place) >= ADDRESS);
    if (isFree && one.place + ADDRESS <= CHART_WIDTH) taken.push(one);
  }
  return taken;
}

const still = { aria: false, interactive: false } as const;

const marks: Mark[] = [
  {
    ...{ type: "rect", name: "tells-regions", from: { data: "regions" } },
    encode: {
      enter: {
        ...{ x: { field: "place" }, width: { field: "width" } },
        ...{ y: { value: TOP }, height: { value: STRIP }, fill: { field: "paint" } },
        ...{ stroke: { value: "var(--surface)" }, description: { field: "text" } },
      },
    },
  },
  {
    ...{ type: "text", from: { data: "regions" }, ...still },
    encode: {
      enter: {
        ...{ x: { field: "place", offset: 8 }, y: { value: TOP + STRIP / 2 } },
        ...{ baseline: { value: "middle" }, text: { field: "name" }, fontWeight: { value: 600 } },
        fill: { signal: "datum.what == 'free' ? 'var(--muted)' : 'var(--on-paint)'" },
      },
    },
  },
  {
    ...{ type: "text", from: { data: "addresses" }, ...still },
    encode: {
      enter: {
        ...{ x: { field: "place" }, y: { value: TOP + STRIP + 15 } },
        ...{ text: { field: "address" }, fontSize: { value: 11 } },
        ...{ fill: { value: "var(--muted)" } },
      },
    },
  },
];
