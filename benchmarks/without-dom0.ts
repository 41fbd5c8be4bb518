// SPDX-License-Identifier: Apache-2.0
// What of Xen is left out by the build that starts nothing but a boot domain: the same sources
// with and without CONFIG_DOM0.

import { join } from "node:path";
import { execa } from "execa";
import { paths } from "../setup/paths.js";
import { type Figure, sectionBytes } from "./sizes.js";

/** Lines of source, headers included, that gave machine code, by Xen's debug information. */
async function sourceLines(xen: string): Promise<number> {
  const lines = new Set<string>();
  let file = "";
  for await (const row of execa("readelf", ["-W", "--debug-dump=decodedline", xen])) {
    const line = /^\S+\s+(\d+)\s+0x/.exec(row)?.[1];
    if (line !== undefined) lines.add(`${file}${line}`);
    else if (row.endsWith(":")) file = row.replace(/^(CU: )?(\.\/)?/, "");
  }
  return lines.size;
}

const measures = [
  {
    what: "Xen's code and data, kept",
    unit: "bytes",
    measure: (xen: string) => sectionBytes(xen, /^\.(text|rodata|data(\..*)?)$/),
  },
  {
    what: "Xen's code and data, freed when it has booted",
    unit: "bytes",
    measure: (xen: string) => sectionBytes(xen, /^\.init\./),
  },
  { what: "source lines that give machine code in Xen", unit: "lines", measure: sourceLines },
];

/** Each size of Xen as it is, and how much of it goes with dom0. */
export async function withoutDom0Figures(): Promise<Figure[]> {
  const figures = measures.map(async ({ what, unit, measure }) => {
    const whole = await measure(join(paths.xenFolder, "xen-syms"));
    const rest = await measure(join(paths.bootDomainOnlyXenFolder, "xen-syms"));
    return [
      { what, value: whole, unit },
      { what: "… of it left out without dom0", value: whole - rest, unit },
    ];
  });
  return (await Promise.all(figures)).flat();
}
