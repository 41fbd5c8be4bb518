// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import {
  MAX_GUARDS,
  MAX_IMAGE_BYTES,
  MAX_OPERATIONS,
  MAX_PAGING_POOL_PAGES,
  MAX_WORK,
} from "../../contract/limits.js";
import { grantLimitsFor } from "../../xen-model/domain-tables.js";
import {
  bootDomainBytes,
  hostDemand,
  pagingPoolPages,
  xenOptions,
} from "../../xen-model/memory.js";
import { checkLimits } from "./limits.js";
import {
  noPolicy,
  noReserve,
  type Plan,
  type PlanDomain,
  type PlanOperation,
  unguarded,
} from "./plan.js";

const domain: PlanDomain = {
  name: "web",
  domid: 1,
  createFlags: 3,
  devices: 1,
  sharedInterrupts: 0,
  vcpus: 1,
  memoryPages: 0x8000,
  pagingPoolPages: MAX_PAGING_POOL_PAGES,
  maxEventChannelPort: 127,
  maxGrantFrames: 4,
  maxMaptrackFrames: 0,
  label: "",
  cpuPool: 0,
  readiness: "started",
  readyWithin: 0,
  onFailure: "abort",
};
const start: PlanOperation = { kind: "start" };
const atTheMaxima: Plan = {
  dropped: 0,
  ...noPolicy,
  ...noReserve,
  guards: [],
  domains: [domain],
  materials: [],
  steps: Array.from({ length: 4 }, () => ({
    domain: 0,
    firstOperation: 0,
    operationCount: MAX_WORK / 4,
    afterStep: 0,
    ...unguarded,
  })),
  operations: Array.from({ length: MAX_OPERATIONS }, () => start),
};

function faultsOf(plan: Plan, imageBytes = MAX_IMAGE_BYTES) {
  return checkLimits(plan, imageBytes, { line: 1 }, (name) => ({ path: [name] })).map(
    ({ code, place, message }) => ({ code, place, message }),
  );
}

describe("checkLimits", () => {
  it("accepts a plan and an image at their maxima", () => {
    expect(faultsOf(atTheMaxima)).toEqual([]);
  });

  it("reports every maximum that is exceeded, together", () => {
    const [step] = atTheMaxima.steps;
    if (step === undefined) throw new Error("bug: no step");
    const plan: Plan = {
      ...atTheMaxima,
      domains: [{ ...domain, pagingPoolPages: MAX_PAGING_POOL_PAGES + 1 }],
      steps: [...atTheMaxima.steps, { ...step, operationCount: 1 }],
      guards: Array.from({ length: MAX_GUARDS + 1 }, () => 0),
      operations: [...atTheMaxima.operations, start],
    };
    expect(faultsOf(plan, MAX_IMAGE_BYTES + 4096)).toEqual([
      {
        code: "DOMB4101",
        place: { line: 1 },
        message: "the launch needs 2049 guards, wanted 2048 at most",
      },
      {
        code: "DOMB4101",
        place: { line: 1 },
        message: "the launch needs 16385 operations, wanted 16384 at most",
      },
      {
        code: "DOMB4101",
        place: { line: 1 },
        message: "the launch needs 65537 operations to execute, wanted 65536 at most",
      },
      {
        code: "DOMB4102",
        place: { line: 1 },
        message: "the image has 2147483648 bytes, wanted 2147479552 at most",
      },
      {
        code: "DOMB4103",
        place: { path: ["web"] },
        message: 'the paging structures of "web" take 4194305 pages, wanted 4194304 at most',
      },
    ]);
  });
});

describe("hostDemand", () => {
  it("counts boot domain and Initial Domains beside each other, and Xen", () => {
    const { xenPages, bootDomainPages, domains, totalBytes } = hostDemand(atTheMaxima, 0x100000);
    const pages = domains.reduce((sum, { pages: own }) => sum + own, xenPages + bootDomainPages);
    expect(totalBytes).toBe(pages * 4096);
    expect(bootDomainPages * 4096).toBeGreaterThan(bootDomainBytes(0x100000));
    expect(domains[0]?.pages).toBeGreaterThan(domain.memoryPages + domain.pagingPoolPages);
  });

  it("counts the boot loader's copy of an image that is larger than the domains", () => {
    const small: Plan = { ...atTheMaxima, domains: [] };
    expect(hostDemand(small, 0x40000000).totalBytes).toBeGreaterThan(2 * 0x40000000);
  });
});

describe("xenOptions", () => {
  it("raise what Xen allows for grants where links need more, and only then", () => {
    const frames = (maxGrantFrames: number, maxMaptrackFrames: number) =>
      xenOptions(0, {
        grantLimits: grantLimitsFor([domain, { maxGrantFrames, maxMaptrackFrames }]),
      }).filter((option) => option.startsWith("gnttab"));
    expect(frames(64, 1024)).toEqual([]);
    expect(frames(65, 1025)).toEqual(["gnttab_max_frames=65", "gnttab_max_maptrack_frames=1025"]);
  });
});

describe("bootDomainBytes and pagingPoolPages", () => {
  it("are whole MiB above the image, and a MiB for a vCPU with 8 KiB for each MiB", () => {
    expect(bootDomainBytes(1) % 0x100000).toBe(0);
    expect(bootDomainBytes(0x100001) - bootDomainBytes(0x100000)).toBe(0x100000);
    expect(pagingPoolPages(0x8000, 1)).toBe(256 + 2 * 128);
    expect(pagingPoolPages(1, 1)).toBe(258);
  });
});
