// SPDX-License-Identifier: Apache-2.0
// Where and for how long the domains of a launch run, for people and for `--json`.

import type { DomainDescription, LaunchDescription } from "../compiler/description/description.js";
import { FIRST_POOL } from "../compiler/description/limits.js";
import { plainTable } from "./plain-table.js";

/** What a domain takes of the host's CPUs, as a plain object. */
export function processorsOf({ pool, cpus, pinned, weight, cap }: DomainDescription): object {
  return {
    pool: pool ?? FIRST_POOL,
    cpus: cpus ?? null,
    pinned: pinned ?? false,
    weight: weight ?? null,
    cap: cap ?? null,
  };
}

/** A table of it, empty if no domain says anything; with an empty line behind it. */
export function processorsText({ domains, pools = [] }: LaunchDescription): readonly string[] {
  const says = domains.some(
    ({ pool, cpus, weight, cap }) => (pool ?? cpus ?? weight ?? cap) !== undefined,
  );
  if (!says && pools.length === 0) return [];
  const rows = domains.map(({ name, vcpus, pool = FIRST_POOL, cpus, pinned, weight, cap }) => [
    name,
    String(vcpus),
    pool,
    cpus === undefined ? `all of ${pool}` : `${cpus.join(", ")}${pinned ? ", one each" : ""}`,
    weight === undefined ? "" : String(weight),
    cap === undefined || cap === 0 ? "" : `${cap} %`,
  ]);
  const lines = pools.map(
    ({ name, cpus, scheduler }) =>
      `CPU pool ${name}: CPUs ${cpus.join(", ")}, scheduler ${scheduler}`,
  );
  return [plainTable(["domain", "vCPUs", "CPU pool", "CPUs", "weight", "cap"], rows), ...lines, ""];
}
