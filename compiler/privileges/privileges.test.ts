// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Link } from "../description/description.js";
import { linkEnds, privilegesOfLaunch } from "./privileges.js";

const links: readonly Link[] = [
  { kind: "event-channel", name: "bell", first: "storage", second: "web" },
  {
    ...{ kind: "shared-memory", name: "ring", bytes: 0x10000, owner: "storage" },
    ...{ writers: ["db"], readers: ["web"] },
  },
];

describe("the privileges of a launch", () => {
  it("include what a domain may do to others by its links", () => {
    const domains = ["storage", "web", "db", "log"].map((name) => ({
      ...{ name, roles: [], output: "none" as const, onDeath: "leave" as const },
    }));
    const labels = new Map([["db", "system_u:system_r:db_t"]]);
    const rows = privilegesOfLaunch(domains, labels, (name) => linkEnds(links, name)).map(
      ({ domain, may, over, because }) => `${domain} may ${may} ${over}: ${because}`,
    );
    expect(rows).toEqual([
      "storage may signal to web: link bell",
      "web may signal to storage: link bell",
      "web may read 64 KiB of the memory of storage: link ring",
      "db may read and write 64 KiB of the memory of storage: link ring, " +
        "and the policy's rules for system_u:system_r:db_t",
    ]);
  });
});
