// SPDX-License-Identifier: Apache-2.0
// [RFC-VERIFIED] on real Xen: no launch that was changed after it was signed runs, in part or whole.

import { beforeAll, describe, expect, it } from "vitest";
import { decodeTrust } from "../../compiler/signature/trust.js";
import { LaunchStatus } from "../../contract/receipt.js";
import type { SuiteCase } from "../../simulator/suite.js";
import { xenOptions } from "../../xen-model/memory.js";
import { type Booted, booted } from "../lab-bench.js";
import { type Batch, runBatch } from "./batch.js";
import { type CorruptedLaunch, corruptedLaunches, signedLaunch } from "./corruption.js";

const host = { roomPages: 0, hostMemoryBytes: 512 * 0x100000 };

/** Boots one launch alone, on a Xen of its own, with the boot domain as it ships. */
function alone({ image, trust }: SuiteCase): Promise<Booted> {
  const trusted = decodeTrust(trust ?? expect.fail("nobody is trusted"));
  return booted(image, xenOptions(image.length).join(" "), { trust: trusted });
}

function greetings(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.includes("hello: "));
}

describe("a signed launch on real Xen", () => {
  it("[RFC-VERIFIED] runs as it was signed, and its domains' first instructions are heard", async () => {
    const { outcome, xenLog } = await alone(await signedLaunch());
    expect(outcome).toMatchObject({ status: "success", verification: { verifiedBy: 1 } });
    expect(greetings(xenLog.split("\n"))).toHaveLength(2);
  });

  it("[RFC-VERIFIED] runs in a batch as well", async () => {
    const { results, guestLines } = await runBatch([await signedLaunch()], host);
    expect(results[0]?.receipt).toMatchObject({ status: LaunchStatus.success, verifiedBy: 1 });
    expect(results[0]?.running).toHaveLength(2);
    // The batch destroys them at its end, perhaps before the second one has spoken.
    expect(greetings(guestLines).length).toBeGreaterThan(0);
  });
});

describe("a signed launch that was changed, on real Xen", () => {
  let cases: readonly CorruptedLaunch[];
  let batch: Batch;

  beforeAll(async () => {
    cases = await corruptedLaunches(await signedLaunch());
    batch = await runBatch(cases, host);
  });

  it.each([
    "a bit of material",
    "a bit of the plan",
    "a bit of the header",
    "a bit of the signature",
    "a bit of the key",
    "it is cut",
    "materials",
    "an older version",
    "it is signed by another key",
    "it is not signed",
  ])("[RFC-VERIFIED] ends with the right status: %s", (group) => {
    const found = cases.flatMap(({ name, statuses }, index) =>
      name.startsWith(group) ? [{ name, statuses, result: batch.results[index] }] : [],
    );
    expect(found.length).toBeGreaterThan(0);
    for (const { name, statuses, result } of found) {
      expect(statuses, name).toContain(result?.receipt.status);
      expect(result, name).toMatchObject({ exited: true, running: [] });
    }
  });

  it("[RFC-VERIFIED] is refused in more than a hundred ways, and no domain runs an instruction", () => {
    expect(cases.length).toBeGreaterThan(100);
    const kinds = cases.filter(({ name }) => name.startsWith("a bit of material"));
    for (const kind of ["kernel", "ramdisk", "startOfDay", "vcpuContext"]) {
      expect(kinds.some(({ name }) => name.includes(`(${kind})`))).toBe(true);
    }
    expect(batch.guestLines).toEqual([]);
  });

  it.each([/\(kernel\)/, /\(startOfDay\)/, /the plan/, /the signature/, /replayed/])(
    "[RFC-VERIFIED] ends so when it is booted alone: %s",
    async (name) => {
      const one = cases.findLast((launch) => name.test(launch.name)) ?? expect.fail("no such case");
      const { outcome, xenLog } = await alone(one);
      expect(one.statuses).toContain(outcome.bootDomain.status);
      expect(outcome).toMatchObject({ status: "failed", bootDomain: { exited: true } });
      expect(greetings(xenLog.split("\n"))).toEqual([]);
    },
  );
});
