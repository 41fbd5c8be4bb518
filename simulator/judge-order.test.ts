// SPDX-License-Identifier: Apache-2.0
// The judge sees each promise broken that is about order, waiting, recovery and the receipt: a boot
// domain that breaks it is played by what stands between it and the model.

import { beforeAll, describe, expect, it } from "vitest";
import { DomainRecord, PlanHeader, RECOVERY_HEADER } from "../contract/image.js";
import { ReceiptDomain, ReceiptHeader, ReceiptStep } from "../contract/receipt.js";
import * as abi from "../contract/xen-abi.js";
import { receiptBytes } from "../xen-model/receipt.js";
import { behavioursIn, type NamedBehaviour, parseBehaviour } from "./behaviours.js";
import { type JudgedLaunch, judgeLaunch } from "./judge.js";
import { type BootDomainImports, loadBootDomain, type SimulationOptions } from "./simulate.js";
import { withPlan } from "./suite/base-launch.js";
import { type OrderedLaunch, ordered, orderedLaunch } from "./suite/order-launch.js";

const freePages = 0x4000;
/** PLAN and RECEIPT of bootdomain/assembly/memory.ts. */
const [PLAN, RECEIPT] = [0x10000, 0x91000];

let wasm: WebAssembly.Module;
let base: OrderedLaunch;

beforeAll(async () => {
  wasm = await loadBootDomain();
  base = await orderedLaunch("x86_64");
});

type Between = NonNullable<SimulationOptions["between"]>;
type Xen = BootDomainImports["xen"];

function judged(said: readonly string[], between?: Between, image = base.image): JudgedLaunch {
  const named = said.map((text): NamedBehaviour => {
    const parsed = parseBehaviour(text);
    return parsed.ok ? parsed.behaviour : expect.fail(parsed.problem);
  });
  const behaviourOf = behavioursIn([base.plan], named);
  return judgeLaunch(image, { wasm, freePages, behaviourOf, between, isXen: true });
}

const brokenWith = (...args: Parameters<typeof judged>): string =>
  judged(...args).broken.join("; ");

/** Plays a boot domain that changes what it asks of Xen, or what it hears. */
const withXen =
  (change: (xen: Xen, view: () => DataView) => Partial<Xen>): Between =>
  ({ machine, xen }, memory) => ({
    machine,
    xen: { ...xen, ...change(xen, () => new DataView(memory().buffer)) },
  });

/** Changes a command of the boot domain's own hypercall. */
const withCommand = (
  command: number,
  change: (argument: number, view: DataView, call: () => number) => number,
): Between =>
  withXen(({ bootDomainOp }, view) => ({
    bootDomainOp: (made, argument) =>
      made === command
        ? change(argument >>> 0, view(), () => bootDomainOp(made, argument))
        : bootDomainOp(made, argument),
  }));

const domctlOf = (view: DataView, argument: number) => ({
  command: view.getUint32(argument + abi.xen_domctl_cmd_offset, true),
  domid: view.getUint16(argument + abi.xen_domctl_domain_offset, true),
});

/** Does not make a domctl on a domain, and takes it for done. */
const without = (command: number, domid: number): Between =>
  withXen(({ domctl }, view) => ({
    domctl: (argument) => {
      const made = domctlOf(view(), argument >>> 0);
      return made.command === command && made.domid === domid ? 0 : domctl(argument);
    },
  }));

/** Believes that storage has signalled when there is no news. */
const credulous = (): Between => {
  let believes = true;
  return withCommand(abi.XEN_BOOT_DOMAIN_wait, (argument, view, call) => {
    const answer = call();
    const event = argument + abi.xen_boot_domain_wait_event_offset;
    if (!believes || view.getUint32(event, true) !== 0) return answer;
    believes = false;
    view.setUint32(event, abi.XEN_BOOT_DOMAIN_EVENT_signalled, true);
    view.setUint16(argument + abi.xen_boot_domain_wait_domid_offset, 1, true);
    return answer;
  });
};

describe("the judge of a launch in order", () => {
  it.each([
    [[]],
    [["storage=silent"]],
    [["storage=crash@1ms"]],
    [["job=silent"]],
    [["job=crash@3ms"]],
  ])("finds nothing in one that keeps its promises: %j", (said) => {
    expect(judged(said)).toMatchObject({ broken: [], idleNs: 0 });
  });

  it("sees a domain started before what it waits for is ready", () => {
    const early = brokenWith(["storage=silent"], credulous());
    expect(early).toMatch(/job was started at \d+ ns, after storage, which never was ready/);
    const soon = brokenWith(["storage=signal@50ms"], credulous());
    expect(soon).toMatch(/job was started at \d+ ns, after storage, ready at 5\d{7} ns/);
  });

  it("sees a signal counted that came by another domain's channel", () => {
    const wrong = brokenWith(["storage=signal@1ms:port=2"], credulous());
    expect(wrong).toMatch(/job was started .* after storage, which never was ready/);
  });

  it("sees a domain started that waits for one which has failed", () => {
    const guards = base.plan.guards.map((guard, index) => (index === 2 ? ordered.storage : guard));
    // The boot domain that is played waits for storage alone, and the image says: for job, too.
    const start = PLAN + PlanHeader.size;
    const lax: Between = ({ machine, xen }, memory) => ({
      machine,
      xen: {
        ...xen,
        bootDomainOp: (command, argument) => {
          if (command === abi.XEN_BOOT_DOMAIN_drop) {
            const plan = new DataView(memory().buffer, start);
            const table = guardTable();
            for (const [index, guard] of guards.entries())
              plan.setUint32(table + 4 * index, guard, true);
          }
          return xen.bootDomainOp(command, argument);
        },
      },
    });
    expect(base.plan.guards).toEqual([0, 0, 1]);
    const broken = brokenWith(["job=crash@5ms"], lax);
    expect(broken).toMatch(/web was started at \d+ ns, after job, which never was ready/);
  });

  /** Bytes between the first domain's record and the guards. */
  function guardTable(): number {
    const { domains, materials, steps } = base.plan;
    return domains.length * DomainRecord.size + materials.length * 48 + steps.length * 24;
  }

  it("sees time slept away in which a step could run", () => {
    const drowsy = withCommand(abi.XEN_BOOT_DOMAIN_wait, (argument, view, call) => {
      view.setBigUint64(argument + abi.xen_boot_domain_wait_timeout_offset, 1_000_000n, true);
      return call();
    });
    const { broken, idleNs } = judged([], drowsy);
    expect(broken.join("; ")).toMatch(/wait:\d+ sleeps, and must not/);
    expect(broken).toContain(`${idleNs} ns were slept away although a step could run`);
    expect(idleNs).toBeGreaterThan(500_000);
  });

  it("sees a sleep that is longer than a domain has time, and a launch longer than its limits", () => {
    const long = withCommand(abi.XEN_BOOT_DOMAIN_wait, (argument, view, call) => {
      const timeout = argument + abi.xen_boot_domain_wait_timeout_offset;
      view.setBigUint64(timeout, view.getBigUint64(timeout, true) * 9n, true);
      return call();
    });
    const broken = brokenWith(["storage=silent"], long);
    expect(broken).toMatch(/wait:\d+ sleeps \d+ ns, and a domain is late in \d+ ns/);
    expect(broken).toMatch(/the launch took \d+ ns, of \d+ at most/);
  });

  it("sees a boot domain that waits without sleeping", () => {
    const busy = withCommand(abi.XEN_BOOT_DOMAIN_wait, (argument, view, call) => {
      view.setBigUint64(argument + abi.xen_boot_domain_wait_timeout_offset, 0n, true);
      return call();
    });
    expect(brokenWith([], busy)).toMatch(/wait:\d+ does not sleep, and nothing else is to be done/);
  });

  it("sees a domain left of a launch that was given up, and one left that has finished", () => {
    const gone = withPlan(base, {
      domains: base.plan.domains.map((domain) => ({ ...domain, onFailure: "abort" })),
    });
    const left = without(abi.XEN_DOMCTL_destroydomain, 4);
    expect(brokenWith(["storage=crash@5ms"], left, gone)).toContain(
      "domain d4 runs although the launch failed",
    );
    const kept = without(abi.XEN_DOMCTL_destroydomain, 2);
    const broken = brokenWith([], kept);
    expect(broken).toContain("job has finished, and is left");
    expect(broken).toContain("domain d2 runs, the receipt says finished");
  });

  it("sees a recovery plan that does not run, and one that must not", () => {
    const blind: Between = ({ machine, xen }, memory) => ({
      machine: {
        ...machine,
        imageRead: (offset, to, bytes) => {
          machine.imageRead(offset, to, bytes);
          if (offset === RECOVERY_HEADER) memory()[to] = 0;
        },
      },
      xen,
    });
    expect(brokenWith(["storage=silent"], blind)).toMatch(/is exit:1, and drop had to come/);
    const eager = withCommand(abi.XEN_BOOT_DOMAIN_drop, (_, view, call) => {
      view.setUint32(
        PLAN + PlanHeader.size + 3 * DomainRecord.size + DomainRecord.onFailure,
        2,
        true,
      );
      return call();
    });
    const { onFailure } = base.plan.domains[ordered.free] ?? expect.fail("there is no such domain");
    expect(onFailure).toBe("abort");
    const starting = withPlan(base, {
      domains: base.plan.domains.map((domain, index) => ({
        ...domain,
        vcpus: index === ordered.free ? 128 : domain.vcpus,
      })),
    });
    const enough = judgeLaunch(starting, { wasm, freePages: 3000, between: eager, isXen: true });
    expect(enough.broken.join("; ")).toMatch(/is drop:2, and exit had to come/);
  });

  it("sees every word of a receipt that is not what happened", () => {
    const launches = [["storage=silent"], ["job=signal@1ms,crash@2ms", "storage=signal@1ms"], []];
    for (const said of launches) {
      const { simulation } = judged(said);
      if (simulation === undefined) expect.fail("the boot domain trapped");
      const bytes = receiptBytes(simulation.receipt);
      const unseen = Array.from({ length: bytes / 4 }, (_, word) => word * 4).filter((at) => {
        if (isFixed(at, simulation.receipt)) return false;
        const lies = [1, 1 << 30].map((bit) =>
          withCommand(abi.XEN_BOOT_DOMAIN_exit, (_, view, call) => {
            view.setUint32(RECEIPT + at, view.getUint32(RECEIPT + at, true) ^ bit, true);
            return call();
          }),
        );
        // By a nanosecond it may be the time at which a digest began, or ended.
        return lies.every((lie) => brokenWith(said, lie) === "");
      });
      expect(unseen).toEqual([]);
    }
  });
});

/** Words without which it is no receipt: how it begins, and how many records it has. */
function isFixed(
  at: number,
  { main, ...last }: NonNullable<JudgedLaunch["simulation"]>["receipt"],
) {
  const first = main ?? last;
  const second =
    ReceiptHeader.size +
    first.domains.length * ReceiptDomain.size +
    first.steps.length * ReceiptStep.size;
  return [0, second].some((part) => at >= part && at < part + ReceiptHeader.status);
}
