// SPDX-License-Identifier: Apache-2.0
// `npm run bench` prints every figure; with `--write` it puts them into docs/figures.md, with
// `--json` it prints them as JSON. `sizes`, `without-dom0`, `trust`, `times`,
// `verification`, `order`, `bounds`, `dom0less`, `dom0less-code` or `simulator`: only those.

import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Table from "cli-table3";
import { paths } from "../setup/paths.js";
import { boundFigures } from "./bounds.js";
import { dom0lessFigures } from "./dom0less.js";
import { dom0lessCodeFigures } from "./dom0less-code.js";
import { twoLinuxFigures } from "./launch-times.js";
import { orderFigures } from "./order.js";
import { simulatorFigures } from "./simulator.js";
import { type Figure, sizeFigures } from "./sizes.js";
import { trustedBaseFigures } from "./trusted-base.js";
import { verificationFigures } from "./verification.js";
import { withoutDom0Figures } from "./without-dom0.js";

interface Section {
  readonly name: string;
  readonly title: string;
  readonly measure: () => Promise<Figure[]>;
}

const sections: readonly Section[] = [
  { name: "sizes", title: "Sizes of the trusted code", measure: sizeFigures },
  {
    name: "without-dom0",
    title: "Xen built without dom0, of the same sources",
    measure: withoutDom0Figures,
  },
  {
    name: "trust",
    title: "Trusted computing base of each domain: who may read or change it",
    measure: trustedBaseFigures,
  },
  {
    name: "times",
    title: "examples/two-linux in virtual time, from Xen's first line",
    measure: twoLinuxFigures,
  },
  {
    name: "verification",
    title: "What verification costs, and what it refuses",
    measure: verificationFigures,
  },
  {
    name: "order",
    title: `Domains that wait 50 ms before they are ready, in virtual time of the boot domain`,
    measure: orderFigures,
  },
  { name: "bounds", title: "Upper bounds of launches, and what they took", measure: boundFigures },
  {
    name: "dom0less",
    title: "On arm64, from Xen's entry to the last domain's userspace, in virtual time",
    measure: dom0lessFigures,
  },
  {
    name: "dom0less-code",
    title: "On arm64, machine code that makes domains at boot",
    measure: dom0lessCodeFigures,
  },
  { name: "simulator", title: "What the simulator tries", measure: simulatorFigures },
];

function markdown(title: string, figures: readonly Figure[]): string {
  const rows = figures.map(({ what, value, unit }) => `| ${what} | ${value} | ${unit} |`);
  return [`## ${title}`, "", "| what | value | unit |", "|---|---:|---|", ...rows, ""].join("\n");
}

const pageHead = `# Figures

Measured by \`npm run bench -- --write\` in QEMU with \`-icount shift=0,sleep=off -smp 1\`, where one
instruction is one nanosecond: the figures are the same on every machine, but for the versions of
compiler, Xen and kernel, and for those that say \`on this machine\`.

`;

const options = process.argv.slice(2);
const wanted = sections.filter(({ name }) => options.includes(name));
const measured: { title: string; figures: Figure[] }[] = [];
for (const { title, measure } of wanted.length > 0 ? wanted : sections) {
  process.stderr.write(`measuring: ${title}\n`);
  measured.push({ title, figures: await measure() });
}

if (options.includes("--json")) {
  process.stdout.write(`${JSON.stringify({ schema: "domb.bench/1", measured }, null, 2)}\n`);
} else {
  for (const { title, figures } of measured) {
    const table = new Table({
      head: [title, "", ""],
      colAligns: ["left", "right", "left"],
      style: { head: [], border: [], compact: true },
    });
    table.push(...figures.map(({ what, value, unit }) => [what, String(value), unit]));
    process.stdout.write(`${table.toString()}\n`);
  }
}

if (options.includes("--write")) {
  const page = join(paths.checkout, "docs", "figures.md");
  const text = pageHead + measured.map(({ title, figures }) => markdown(title, figures)).join("\n");
  if ((await readFile(page, "utf8").catch(() => "")) !== text) {
    await writeFile(`${page}.new`, text);
    await rename(`${page}.new`, page);
  }
}
