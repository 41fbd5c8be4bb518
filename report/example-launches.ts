// SPDX-License-Identifier: Apache-2.0
// Launches that tests draw: small ones for one thing each, and large ones.

import type { DomainInput, LaunchInput } from "../compiler/description/define-launch.js";

/** A domain of the tiny kernel. */
export function hello(more: Partial<DomainInput> = {}): DomainInput {
  return { kernel: "build/guests/hello.elf", memory: "16 MiB", output: "xen-log", ...more };
}

const signalled = { when: "signalled", within: "5 s" } as const;

/** Numbered domains, `first` to `last`. */
function clones(
  name: string,
  first: number,
  last: number,
  domain: (index: number) => DomainInput,
): Record<string, DomainInput> {
  return Object.fromEntries(
    Array.from({ length: last - first + 1 }, (_, index) => [
      `${name}-${first + index}`,
      domain(first + index),
    ]),
  );
}

export const one: LaunchInput = { domb: 1, domains: { only: hello() } };

export const two: LaunchInput = {
  domb: 1,
  domains: { one: hello({ cmdline: "number=1" }), two: hello({ cmdline: "number=2" }) },
};

/** Three, each of which waits for the one before it. */
export const chain: LaunchInput = {
  domb: 1,
  domains: {
    storage: hello({ ready: signalled }),
    database: hello({ after: ["storage"], ready: { when: "signalled", within: "20 ms" } }),
    web: hello({ after: ["database"] }),
  },
};

/** The same, with another plan if storage or database fails. */
export const recoverable: LaunchInput = {
  domb: 1,
  domains: {
    storage: hello({ ready: signalled, onFailure: "recover" }),
    database: hello({
      ...{ after: ["storage"], onFailure: "recover" },
      ready: { when: "signalled", within: "20 ms" },
    }),
    web: hello({ after: ["database"] }),
    rescue: hello({ roles: ["recovery"], memory: "32 MiB" }),
  },
};

/** Services that wait for each other, a job, clones, one that may fail with one that waits for it. */
export const thirtyTwo: LaunchInput = {
  domb: 1,
  domains: {
    storage: hello({
      ...{ memory: "64 MiB", roles: ["control"], onDeath: "reboot", ready: signalled },
    }),
    network: hello({ memory: "64 MiB", roles: ["xenstore"], ready: signalled }),
    database: hello({ memory: "128 MiB", after: ["storage"], ready: signalled }),
    migrate: hello({ after: ["database"], ready: { when: "finished", within: "10 s" } }),
    ...clones("web", 1, 20, () => hello({ after: ["network", "migrate"] })),
    cache: hello({
      ...{ after: ["network"], onFailure: "continue" },
      ready: { when: "signalled", within: "60 ms" },
    }),
    "cache-warmer": hello({ after: ["cache"] }),
    ...clones("batch", 1, 6, () => hello({ memory: "32 MiB", output: "none" })),
  },
  links: [
    { kind: "event-channel", name: "bell", between: ["storage", "database"] },
    {
      ...{ kind: "shared-memory", name: "ring", size: "64 KiB" },
      ...{ writers: ["database"], readers: ["web-1", "web-2"] },
    },
    {
      ...{ kind: "shared-memory", name: "log", size: "16 KiB" },
      ...{ writers: ["network", "cache"], readers: ["web-3"] },
    },
  ],
};

/** What its domains do when it is busy: one of them is late. */
export const busy = {
  behave: [
    ...["storage=signal@30ms", "network=signal@14ms", "database=signal@41ms", "cache=silent"],
    "migrate=signal@6ms,end@7ms:poweroff",
  ],
};

/** As many as a plan may have. */
export const hundredAndMore: LaunchInput = {
  domb: 1,
  domains: {
    ...clones("node", 1, 4, () => hello({ ready: signalled })),
    ...clones("node", 5, 128, (index) => hello({ after: [`node-${1 + (index % 4)}`] })),
  },
};
