// SPDX-License-Identifier: Apache-2.0
// Launches with links: channels and grants between domains, and the boot domain's own channels, each
// with its fields at their limits, before there are the domains, twice, and without memory.

import type { PlanDomain, PlanOperation } from "../../compiler/plan/plan.js";
import { MAX_FRAME, MAX_PORT } from "../../contract/limits.js";
import { XEN_EINVAL } from "../../contract/xen-abi.js";
import { asPlanned } from "../behaviours.js";
import { withDomain, withOperations, withPlan } from "./base-launch.js";
import { type OrderedLaunch, ordered } from "./order-launch.js";
import { plainCase, type SuiteCase } from "./suite-case.js";

const MOST = 0xffffffff;

type Operation<Kind> = Extract<PlanOperation, { readonly kind: Kind }>;

const channel = (changes: Partial<Operation<"openChannel">> = {}): PlanOperation => ({
  ...{ kind: "openChannel", peer: ordered.web, port: 1 },
  ...changes,
});
const grant = (changes: Partial<Operation<"grant">> = {}): PlanOperation => ({
  ...{ kind: "grant", peer: ordered.web, reference: 8, frame: 0x180, count: 2, readOnly: 0 },
  ...changes,
});

/** The launch with operations in a domain's second step, in which it is told and linked. */
export function withLinks(
  base: OrderedLaunch,
  domain: number,
  ...operations: readonly PlanOperation[]
): Uint8Array {
  const step = base.plan.steps[base.plan.domains.length + domain];
  const last = (step?.firstOperation ?? 0) + (step?.operationCount ?? 1) - 1;
  return withOperations(base, last, 0, ...operations);
}

const fieldsOf = (fields: object): string =>
  Object.entries(fields)
    .map(([field, value]) => `${field} ${value}`)
    .join(", ");

function channelCases(base: OrderedLaunch): readonly (readonly [string, Uint8Array])[] {
  const { storage } = ordered;
  const changes: readonly Partial<Operation<"openChannel">>[] = [
    {},
    ...[0, 63, 64, 127, 128, MAX_PORT, MAX_PORT + 1, MOST].map((port) => ({ port })),
    ...[0, 3, 4, MOST].map((peer) => ({ peer })),
  ];
  const signals = [0, 2, 63, 64, 200, MAX_PORT, MAX_PORT + 1, MOST];
  const most = withDomain(base, storage, { maxEventChannelPort: MOST });
  return [
    ...changes.map(
      (change) =>
        [`a channel with ${fieldsOf(change)}`, withLinks(base, storage, channel(change))] as const,
    ),
    ["a channel twice", withLinks(base, storage, channel(), channel())],
    ["channels both ways", withLinks(base, storage, channel(), channel({ port: 2 }))],
    ["a domain with all ports", most],
    ...signals.map(
      (port) =>
        [
          `signals by port ${port}`,
          withLinks(base, storage, { kind: "openSignal", port }),
        ] as const,
    ),
    ["signals by one port twice", withLinks(base, storage, { kind: "openSignal", port: 1 })],
    ["signals of one that is ready at once", withLinks(base, 3, { kind: "openSignal", port: 9 })],
  ];
}

function grantCases(base: OrderedLaunch): readonly (readonly [string, Uint8Array])[] {
  const { storage } = ordered;
  const changes: readonly Partial<Operation<"grant">>[] = [
    ...[{}, { readOnly: 1 }, { readOnly: 2 }, { readOnly: MOST }, { peer: storage }],
    ...[3, 4, MOST].map((peer) => ({ peer })),
    ...[0, 510, 511, 512, 2046, 2047, 2048, MOST].map((reference) => ({ reference })),
    ...[0, 1, 512, MAX_FRAME, MOST].map((count) => ({ count })),
    ...[MAX_FRAME - 2, MAX_FRAME - 1, MOST].map((frame) => ({ frame })),
  ];
  const overlapping = [grant(), grant({ frame: 0x190, readOnly: 1 })];
  return [
    ...changes.map(
      (change) =>
        [`a grant with ${fieldsOf(change)}`, withLinks(base, storage, grant(change))] as const,
    ),
    ["grants over each other", withLinks(base, storage, ...overlapping)],
    ...[1, 2, 64].map((maxGrantFrames) => {
      const bounded = { ...base, plan: planWith(base, { maxGrantFrames }) };
      const image = withLinks(bounded, storage, grant({ reference: 600 }));
      return [`a grant in a table of ${maxGrantFrames} frames`, image] as const;
    }),
  ];
}

function planWith(base: OrderedLaunch, changes: Partial<OrderedLaunch["plan"]["domains"][number]>) {
  const domains = base.plan.domains.map((domain, index) =>
    index === ordered.storage ? { ...domain, ...changes } : domain,
  );
  return { ...base.plan, domains };
}

/** Links before one of the domains is there, or after it has been started or has failed. */
function momentCases(base: OrderedLaunch): readonly (readonly [string, Uint8Array])[] {
  const { storage, web } = ordered;
  const first = base.plan.steps[storage]?.firstOperation ?? 0;
  const early = [
    channel({ peer: 1 }),
    grant({ peer: 1 }),
    { kind: "openSignal", port: 7 } as const,
  ];
  const twice = base.plan.domains.map((domain) => ({ ...domain, domid: 5 }));
  return [
    ...early.flatMap((operation): readonly (readonly [string, Uint8Array])[] => [
      [`${operation.kind} before the creation`, withOperations(base, first, 0, operation)],
      [`${operation.kind} after the creation`, withOperations(base, first + 3, 0, operation)],
    ]),
    ...[channel({ peer: storage }), grant({ peer: storage })].map(
      (operation): readonly [string, Uint8Array] => [
        `${operation.kind} after the start of its other end`,
        withLinks({ ...base, plan: startedFirst(base) }, web, operation),
      ],
    ),
    ["links of domains with one domid", withPlan(base, { domains: twice })],
  ];
}

/** The plan with web told only after storage has been started. */
function startedFirst({ plan }: OrderedLaunch): OrderedLaunch["plan"] {
  const told = plan.domains.length + ordered.web;
  const start = 2 * plan.domains.length + ordered.storage + 1;
  return {
    ...plan,
    steps: plan.steps.map((step, at) => (at === told ? { ...step, afterStep: start } : step)),
  };
}

/** Links that want memory of Xen, beside domains of which none goes again. */
export function largeLinks(base: OrderedLaunch): Uint8Array {
  const domains = base.plan.domains.map(
    (domain): PlanDomain => ({ ...domain, readiness: "started", readyWithin: 0 }),
  );
  const plan = { ...base.plan, domains, reservedPages: 0 };
  return withLinks(
    { ...base, plan },
    ordered.storage,
    ...[channel({ port: 100 }), grant({ reference: 1900 })],
    { kind: "openSignal", port: 150 },
  );
}

/** Every case of links. */
export function linkCases(base: OrderedLaunch): readonly SuiteCase[] {
  const { storage, web } = ordered;
  const cases = [...channelCases(base), ...grantCases(base), ...momentCases(base)];
  const behaviourOf = asPlanned(base.plan);
  const toLost = withLinks(base, storage, channel(), grant());
  const creation = { hypercall: "createDomain", occurrence: web + 1 } as const;
  return [
    ...cases.map(([name, image]) => ({ ...plainCase(`links: ${name}`, image), behaviourOf })),
    {
      ...plainCase("links: with a domain that the launch goes on without", toLost),
      ...{ behaviourOf, faults: [{ ...creation, answer: -XEN_EINVAL, done: 0 }] },
    },
  ];
}
