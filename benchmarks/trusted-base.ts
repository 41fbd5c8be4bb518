// SPDX-License-Identifier: Apache-2.0
// The trusted computing base of each domain of the examples: which code may read or change its
// memory, in bytes as loaded. A domain that may end the host (onDeath) is not counted by that.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { decodeImage, explanationOf } from "../compiler/explain/explain.js";
import { compiledExample } from "../lab/lab-bench.js";
import { paths } from "../setup/paths.js";
import { type Figure, textBytes } from "./sizes.js";

const examples = [
  "static-partitions",
  "two-linux",
  "linux-and-hello",
  "labels",
  "control-domain",
] as const;

/** What of each domain of an example may be read or changed by whom, in bytes of their code. */
async function figuresOf(example: string, always: number): Promise<Figure[]> {
  const { image } = await compiledExample(example);
  const decoded = decodeImage(image, { file: example });
  if (!decoded.ok) throw new Error(`bug: the image of ${example} is not one`);
  const { domains, materials } = explanationOf(decoded.value);
  const softwareBytes = (domain: string): number =>
    materials
      .filter(({ kind }) => kind === "kernel" || kind === "ramdisk")
      .filter(({ usedBy }) => usedBy.includes(domain))
      .reduce((sum, { bytes }) => sum + bytes, 0);
  return domains.map(({ name }) => {
    const controllers = domains.filter((one) => one.name !== name && one.roles.includes("control"));
    const names = controllers.map((controller) => controller.name);
    const trusted = ["Xen", "boot domain until its exit", ...names];
    const value = names.reduce((sum, controller) => sum + softwareBytes(controller), always);
    return { what: `${example}, ${name}: ${trusted.join(", ")}`, value, unit: "bytes" };
  });
}

/** A row for each domain of each example. Needs all that the set-up builds. */
export async function trustedBaseFigures(): Promise<Figure[]> {
  const xen = (await stat(paths.xen())).size;
  const bootDomain = await textBytes(join(paths.build, "bootdomain", "domb.elf"));
  const rows: Figure[] = [
    { what: "Xen, its file: code and data", value: xen, unit: "bytes" },
    { what: "boot domain, text as linked", value: bootDomain, unit: "bytes" },
  ];
  for (const example of examples) rows.push(...(await figuresOf(example, xen + bootDomain)));
  return rows;
}
