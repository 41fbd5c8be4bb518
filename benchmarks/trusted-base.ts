// SPDX-License-Identifier: Apache-2.0
// The trusted computing base of each domain of the examples: which code may read or change its
// memory, in bytes as loaded. A domain that may end the host (onDeath) is not counted by that.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { CompiledLaunch } from "../compiler/compile.js";
import { rolesOf } from "../compiler/plan/roles.js";
import { compiledExample } from "../lab/lab-bench.js";
import { paths } from "../setup/paths.js";
import type { Figure } from "./sizes.js";
import { textBytes } from "./sizes.js";

const examples = [
  "static-partitions/launch.yaml",
  "two-linux/launch.yaml",
  "linux-and-hello/launch.yaml",
  "labels/launch.yaml",
  "control-domain/launch.yaml",
] as const;

/** Bytes of kernel and ramdisk that are copied to a domain. */
function softwareBytes({ plan }: CompiledLaunch, domain: number): number {
  const operations = plan.steps
    .filter((step) => step.domain === domain)
    .flatMap(({ firstOperation, operationCount }) =>
      plan.operations.slice(firstOperation, firstOperation + operationCount),
    );
  const copied = new Set(
    operations.flatMap((operation) => (operation.kind === "copy" ? [operation.material] : [])),
  );
  return [...copied]
    .flatMap((index) => plan.materials[index] ?? [])
    .filter(({ kind }) => kind === "kernel" || kind === "ramdisk")
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

/** What of each domain of an example may be read or changed by whom, in bytes of their code. */
async function figuresOf(file: string, always: number): Promise<Figure[]> {
  const launch = await compiledExample(file);
  const [example] = file.split("/");
  const controllers = launch.plan.domains.flatMap(({ name, createFlags }, index) =>
    rolesOf(createFlags).includes("control") ? [{ name, bytes: softwareBytes(launch, index) }] : [],
  );
  return launch.plan.domains.map(({ name }) => {
    const others = controllers.filter((controller) => controller.name !== name);
    const trusted = ["Xen", "boot domain until its exit", ...others.map((one) => one.name)];
    const value = others.reduce((sum, { bytes }) => sum + bytes, always);
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
  for (const file of examples) rows.push(...(await figuresOf(file, xen + bootDomain)));
  return rows;
}
