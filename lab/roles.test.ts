// SPDX-License-Identifier: Apache-2.0
// What Xen really lets Initial Domains do, by their roles: each tries the same on every other domain
// and on the host, and says how Xen answers.

import { beforeAll, describe, expect, it } from "vitest";
import type { LaunchInput } from "../compiler/description/define-launch.js";
import { encodeImage } from "../compiler/image/encode-image.js";
import type { Plan } from "../compiler/plan/plan.js";
import { type Privilege, privilegesOfLaunch } from "../compiler/privileges/privileges.js";
import { BOOT_DOMID } from "../contract/limits.js";
import { XEN_EPERM, XEN_ESRCH } from "../contract/xen-abi.js";
import { booted, compiled, described, everyArchitecture, linux } from "./lab-bench.js";
import { type Answers, answersOf, triesOn } from "./privileges-guest.js";

describe.each(everyArchitecture)("domains with and without roles on %s", (_, architecture) => {
  const tries = triesOn(architecture);
  let answers: Readonly<Record<string, Answers>>;
  let privileges: readonly Privilege[];

  beforeAll(async () => {
    const input: LaunchInput = {
      domb: 1,
      domains: {
        manager: { ...tries, cmdline: "until=3", domid: 0, roles: ["control"] },
        plain: tries,
        store: { ...tries, roles: ["xenstore"] },
        terminal: { ...tries, roles: ["console"] },
      },
    };
    const { image, xenCommandLine } = await compiled(input);
    privileges = privilegesOfLaunch(described(input).domains);
    const { outcome, outputs } = await booted(image, xenCommandLine);
    expect(outcome.status).toBe("success");
    answers = Object.fromEntries(
      Object.entries(outputs).map(([name, output]) => [name, answersOf(output)]),
    );
  });

  it.each([
    ["XEN_DOMCTL_pausedomain", "pausedomain 2"],
    ["XEN_DOMCTL_getdomaininfo", "getdomaininfo 2"],
    ["EVTCHNOP_alloc_unbound", "alloc_unbound 2"],
    ["XEN_SYSCTL_physinfo", "sysctl 0"],
    ["CONSOLEIO_read", "console_read 0"],
    ["XEN_BOOT_DOMAIN_receipt", "receipt 0"],
  ])(
    "may make %s on another domain or the host as `domb check` says, and else not",
    (hypercall, attempt) => {
      for (const [domain, of] of Object.entries(answers)) {
        if (domain === "store" && attempt.endsWith(" 2")) continue;
        const may = privileges.some((one) => one.domain === domain && one.hypercall === hypercall);
        const answer = of.get(attempt);
        expect(answer, domain).toBeDefined();
        expect(answer !== -XEN_EPERM, `${domain}: ${answer}`).toBe(may);
      }
    },
  );

  it("are the control domain's to pause, and no other's", () => {
    expect(answers.manager?.get("pausedomain 1")).toBe(0);
    expect(answers.manager?.get("sysctl 0")).toBe(0);
    for (const name of ["plain", "store", "terminal"]) {
      expect(answers[name]?.get("pausedomain 0"), name).toBe(-XEN_EPERM);
      expect(answers[name]?.get("sysctl 0"), name).toBe(-XEN_EPERM);
    }
  });

  it("are seen by the control domain and by the xenstore domain, which makes channels to them", () => {
    expect(answers.manager?.get("getdomaininfo 1")).toBe(0);
    expect(answers.store?.get("getdomaininfo 1")).toBe(0);
    expect(answers.plain?.get("getdomaininfo 2")).toBe(-XEN_EPERM);
    expect(answers.terminal?.get("getdomaininfo 2")).toBe(-XEN_EPERM);
  });

  it("read what is typed at Xen's console by that role alone", () => {
    expect(answers.terminal?.get("console_read 0")).toBe(0);
    for (const name of ["manager", "plain", "store"]) {
      expect(answers[name]?.get("console_read 0"), name).toBe(-XEN_EPERM);
    }
  });

  it("never reach the boot domain, nor its hypercall", () => {
    for (const [name, of] of Object.entries(answers)) {
      expect(of.get("boot_domain_op 0"), name).toBe(-XEN_EPERM);
      expect([-XEN_EPERM, -XEN_ESRCH], name).toContain(of.get(`pausedomain ${BOOT_DOMID}`));
    }
    expect(answers.manager?.get(`pausedomain ${BOOT_DOMID}`)).toBe(-XEN_ESRCH);
  });
});

/** The plan with each domain started before the next one is made. */
function startingEarly(plan: Plan): Plan {
  const byDomain = plan.steps.toSorted((one, other) => one.domain - other.domain);
  const steps = byDomain.map((step, index) => ({
    ...step,
    afterStep: byDomain[index - 1]?.domain === step.domain ? index : 0,
  }));
  return { ...plan, steps };
}

describe.each(everyArchitecture)(
  "a control domain that runs before the launch has ended on %s",
  (_, architecture) => {
    const tries = triesOn(architecture);
    it("finds no domain that has not been started, and not the boot domain", async () => {
      const launch = await compiled({
        domb: 1,
        domains: {
          manager: { ...tries, cmdline: "until=2", roles: ["control"] },
          large: {
            ...tries,
            kernel: linux(architecture, "").kernel,
            memory: "256 MiB",
            output: "none",
          },
        },
      });
      const bytes = launch.materials.map((material) => material.bytes);
      const image = encodeImage(startingEarly(launch.plan), bytes, { architecture });
      const { outcome, outputs } = await booted(image, launch.xenCommandLine);
      expect(outcome.status).toBe("success");
      const answers = answersOf(outputs.manager);
      expect(answers.get("see 2")).toBeGreaterThan(0);
      expect(answers.get("pausedomain 2")).toBe(0);
    });
  },
);

describe.each(everyArchitecture)("a role given twice on %s", (_, architecture) => {
  const tries = triesOn(architecture);
  it("is refused by Xen, whatever the compiler says, and nothing has started", async () => {
    const launch = await compiled({
      domb: 1,
      domains: { first: { ...tries, roles: ["control"] }, second: tries },
    });
    const [first] = launch.plan.domains;
    const domains = launch.plan.domains.map((domain) => ({
      ...domain,
      createFlags: first?.createFlags ?? 0,
    }));
    const bytes = launch.materials.map((material) => material.bytes);
    const image = encodeImage({ ...launch.plan, domains }, bytes, { architecture });
    const { outcome, xenLog } = await booted(image, launch.xenCommandLine);
    expect(outcome.status).toBe("failed");
    expect(outcome.reason).toContain(`error ${XEN_EPERM}`);
    expect(xenLog).not.toContain("may: ");
  });

  it("can't be given at all once the plan has dropped it", async () => {
    const launch = await compiled({ domb: 1, domains: { only: tries } });
    const [only] = launch.plan.domains;
    if (only === undefined) throw new Error("bug: no domain");
    for (const flag of [0x10, 0x20000, 0x40000]) {
      const domains = [{ ...only, createFlags: only.createFlags | flag }];
      const bytes = launch.materials.map((material) => material.bytes);
      const image = encodeImage({ ...launch.plan, domains }, bytes, { architecture });
      const { outcome } = await booted(image, launch.xenCommandLine);
      expect(outcome.reason).toContain(`error ${XEN_EPERM}`);
    }
  });
});
