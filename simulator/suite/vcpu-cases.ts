// SPDX-License-Identifier: Apache-2.0
// A domain with several vCPUs: as many as there can be, too little memory for its paging structures,
// and memory that runs out.

import { MAX_VCPUS } from "../../contract/limits.js";
import { type BaseLaunch, withDomain } from "./base-launch.js";
import { plainCase, type SuiteCase } from "./suite-case.js";

/** vCPUs of the domain that memory runs out for. */
const SEVERAL = 3;
/** Pages around the ends of hypercalls, on either architecture. */
const memoryBorders = [
  [20, 60],
  [265, 310],
  [805, 822],
] as const;

/** Each case once; the names begin with "vCPUs". */
export function vcpuCases(base: BaseLaunch): readonly SuiteCase[] {
  const several = withDomain(base, 0, { vcpus: SEVERAL });
  const counts = [2, SEVERAL, MAX_VCPUS].map((vcpus) =>
    plainCase(`vCPUs: ${vcpus}`, withDomain(base, 0, { vcpus })),
  );
  const pools = [1, SEVERAL, MAX_VCPUS].flatMap((vcpus) =>
    [9, 10, 11, 12, 13, 14, 15].map((pages) =>
      plainCase(
        `vCPUs: ${vcpus}, and ${vcpus + pages} pages for paging structures`,
        withDomain(base, 0, { vcpus, pagingPoolPages: vcpus + pages }),
      ),
    ),
  );
  const memory = memoryBorders.flatMap(([from, to]) =>
    Array.from({ length: to - from }, (_, page) => ({
      name: `vCPUs: ${SEVERAL}, ${from + page} pages are free`,
      image: several,
      freePages: from + page,
      faults: [],
    })),
  );
  // Xen's heap is as it was as long as there have been few vCPUs.
  return [...memory, ...counts, ...pools];
}
