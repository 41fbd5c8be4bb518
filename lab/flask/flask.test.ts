// SPDX-License-Identifier: Apache-2.0
// Launches under FLASK on real Xen: labels and policy are the plan's, the boot domain's permissions
// suffice, and none is spare.

import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../../compiler/compile.js";
import type { DomainInput, LaunchInput } from "../../compiler/description/define-launch.js";
import { privilegesOfLaunch } from "../../compiler/privileges/privileges.js";
import { LaunchStatus } from "../../contract/receipt.js";
import {
  XEN_BOOT_DOMAIN_EVENT_signalled,
  XEN_EACCES,
  XEN_EINVAL,
  XEN_ENODATA,
  XEN_ENOSYS,
  XEN_EPERM,
  XEN_ESRCH,
} from "../../contract/xen-abi.js";
import { guestKernel } from "../../guests/build.js";
import { bootDomainPermissions } from "../../hypervisor/flask/permissions.js";
import { buildPolicy } from "../../hypervisor/flask/policy.js";
import { paths } from "../../setup/paths.js";
import { buildAltered, withBootDomain } from "../altered-boot-domain.js";
import {
  type Booted,
  booted,
  compiled,
  compiledExample,
  described,
  everyArchitecture,
} from "../lab-bench.js";
import { buildLinking, linkedCommandLines, linkedGuest } from "../links/linked-launch.js";
import { answersOf, triesOn } from "../privileges-guest.js";

const label = (type: string): string => `system_u:system_r:${type}`;
const boot = label("boot_domain_t");

/** For any policy that has the labels. */
const labelled = (first: DomainInput, second: DomainInput): LaunchInput => ({
  domb: 1,
  domains: { first, second },
});

const denials = ({ xenLog }: Booted): string[] =>
  xenLog.split("\n").filter((line) => line.includes("avc:  denied"));

/** Says that a launch failed before any domain was created, with this status and Xen's errno. */
function expectNothingCreated({ outcome, xenLog }: Booted, status: number, error: number): void {
  expect(outcome.bootDomain.status).toBe(status);
  expect(outcome.receiptLines.at(-1)).toContain(` error ${error} `);
  expect(outcome.receiptLines.join("\n")).not.toContain("destroyed");
  expect(xenLog).not.toContain("hello: ");
}

describe.each(everyArchitecture)("under FLASK on %s", (_, architecture) => {
  const hello = {
    kernel: guestKernel("hello", architecture),
    memory: "16 MiB",
    output: "xen-log",
  } as const;
  const plain: DomainInput = { ...hello, label: label("initial_t") };
  const control: DomainInput = {
    ...{ ...hello, roles: ["control"], label: label("control_initial_t") },
  };

  /** For domb's policy alone. */
  const pinned: LaunchInput = {
    ...{ domb: 1, policy: { xsm: paths.xenPolicy() } },
    domains: { first: control, second: hello },
  };

  let domb: Uint8Array;
  let launch: CompiledLaunch;
  let impossible: CompiledLaunch;
  let unlabelled: CompiledLaunch;
  /** Domains that the test's own boot domain links: two that use that, and two that do not. */
  let linked: CompiledLaunch;
  let idle: CompiledLaunch;

  const linkedUnder = async (policy: Uint8Array, pair: CompiledLaunch): Promise<Booted> =>
    withBootDomain(await buildLinking(architecture, 2, 0, "linking-flask"), () =>
      under(policy, pair),
    );

  beforeAll(async () => {
    domb = new Uint8Array(await readFile(paths.xenPolicy()));
    launch = await compiled(labelled(control, plain));
    unlabelled = await compiled({ domb: 1, domains: { first: hello, second: hello } });
    const [first, second] = linkedCommandLines(architecture).map((cmdline) => ({
      ...linkedGuest(architecture, cmdline),
      label: label("linked_initial_t"),
    }));
    linked = await compiled(labelled(first ?? plain, second ?? plain));
    const unused: DomainInput = { ...hello, label: label("linked_initial_t") };
    idle = await compiled(labelled(unused, unused));
    impossible = await compiled(labelled(control, { ...plain, memory: "2 GiB" }));
  });

  /** 32 ns an instruction: arm64's Xen counts down three seconds where SILO is not its module. */
  const fasterClock = architecture === "arm64" ? { instructionShift: 5 } : {};

  /** Boots under `policy`; `flask`: how Xen is told to. */
  function under(
    policy: Uint8Array,
    { image, xenCommandLine }: CompiledLaunch = launch,
    flask = "xsm=flask flask=enforcing",
    hostMebibytes = 256,
  ): Promise<Booted> {
    const options = xenCommandLine.replace(/ xsm=flask flask=enforcing$/, "");
    return booted(image, `${options} ${flask}`, {
      policy,
      hostMemoryBytes: hostMebibytes * 0x100000,
      ...fasterClock,
      timeLimitSeconds: 200,
    });
  }

  describe("with domb's policy", () => {
    it("[RFC-LABELS] examples/labels succeeds, and nothing is denied", async () => {
      const result = await under(domb, await compiledExample("labels", architecture));
      expect(result.outcome).toMatchObject({ status: "success" });
      expect(result.outputs.worker).toContain("worker");
      expect(denials(result)).toEqual([]);
    });

    it("domains with the label for it use their links and signal, and nothing is denied", async () => {
      const result = await linkedUnder(domb, linked);
      expect(result.outcome.status).toBe("success");
      expect(result.xenLog).toContain(`linking: news 1 ${XEN_BOOT_DOMAIN_EVENT_signalled}`);
      expect(result.xenLog).toContain(`linking: news 2 ${XEN_BOOT_DOMAIN_EVENT_signalled}`);
      expect(denials(result)).toEqual([]);
    });

    it("the boot domain may do nothing with FLASK but ask for labels", async () => {
      const asking = await buildAltered("asking", "lab/flask/asking.c", [], architecture);
      const { outcome, xenLog } = await withBootDomain(asking, () => under(domb));
      expect(outcome.status).toBe("success");
      expect(xenLog).toMatch(/flask: refused 63\r?\n/);
    });

    it("a launch that fails cleans up after itself, and nothing is denied", async () => {
      const result = await under(domb, impossible);
      expect(result.outcome.status).toBe("failed");
      expect(result.outcome.receiptLines.join("\n")).toMatch(
        /first d1 destroyed.*\n.*second d2 destroyed/,
      );
      expect(denials(result)).toEqual([]);
    });

    it("domains without labels are not created", async () => {
      expectNothingCreated(await under(domb, unlabelled), LaunchStatus.hypercall, XEN_EACCES);
    });

    it("a label that the policy does not have fails the launch before anything is created", async () => {
      const unknown = await compiled(labelled({ ...hello, label: label("initail_t") }, plain));
      expectNothingCreated(await under(domb, unknown), LaunchStatus.hypercall, XEN_EINVAL);
    });

    it("a domain that is not the control domain can't have its label", async () => {
      const disguised = await compiled(
        labelled({ ...hello, label: label("control_initial_t") }, plain),
      );
      const result = await under(domb, disguised);
      expectNothingCreated(result, LaunchStatus.hypercall, XEN_EACCES);
      expect(denials(result)[0]).toContain("{ create }");
    });

    it("the control domain can't have another label than its own", async () => {
      const disguised = await compiled(labelled({ ...control, label: label("initial_t") }, plain));
      const result = await under(domb, disguised);
      expectNothingCreated(result, LaunchStatus.hypercall, XEN_EACCES);
      expect(denials(result)[0]).toContain("{ create_control_domain }");
    });
  });

  describe("with domb's policy", () => {
    const attempts = new Map([
      ["pausedomain", "XEN_DOMCTL_pausedomain"],
      ["getdomaininfo", "XEN_DOMCTL_getdomaininfo"],
      ["alloc_unbound", "EVTCHNOP_alloc_unbound"],
      ["sysctl", "XEN_SYSCTL_physinfo"],
      ["console_read", "CONSOLEIO_read"],
      ["receipt", "XEN_BOOT_DOMAIN_receipt"],
    ]);

    it("domains may do what `domb check` says, or less, and the control domain may pause them", async () => {
      const input: LaunchInput = {
        ...{ domb: 1, policy: { xsm: paths.xenPolicy() } },
        domains: {
          manager: { ...control, ...triesOn(architecture), cmdline: "until=3", domid: 0 },
          plain: triesOn(architecture),
          store: { ...triesOn(architecture), roles: ["xenstore"] },
          terminal: { ...triesOn(architecture), roles: ["console"] },
        },
      };
      const privileges = privilegesOfLaunch(described(input).domains);
      const { outcome, outputs } = await under(domb, await compiled(input), undefined, 1024);
      expect(outcome.status).toBe("success");
      for (const [domain, output] of Object.entries(outputs)) {
        const allowed = [...answersOf(output)].flatMap(([attempt, answer]) => {
          const hypercall = attempts.get(attempt.replace(/ .*/, ""));
          const refused = [-XEN_EPERM, -XEN_EACCES, -XEN_ESRCH].includes(answer);
          return hypercall === undefined || refused ? [] : [{ attempt, hypercall }];
        });
        for (const { attempt, hypercall } of allowed) {
          const may = privileges.some(
            (one) => one.domain === domain && one.hypercall === hypercall,
          );
          expect(may, `${domain}: ${attempt}`).toBe(true);
        }
        expect(allowed.length > 0).toBe(domain === "manager");
      }
      expect(outputs.manager).toContain("may: pausedomain 1 0\n");
    });
  });

  describe("a launch that is for domb's policy", () => {
    it("does not begin under another", async () => {
      const other = await buildPolicy(bootDomainPermissions.slice(1));
      const result = await under(other, await compiled(pinned));
      expectNothingCreated(result, LaunchStatus.policy, 0);
    });

    it("does not begin where the policy is not enforced", async () => {
      const result = await under(domb, await compiled(pinned), "xsm=flask flask=permissive");
      expectNothingCreated(result, LaunchStatus.policy, XEN_ENODATA);
    });

    it.each(["xsm=dummy", "xsm=silo"])("does not begin with %s", async (module) => {
      const result = await under(domb, await compiled(pinned), module);
      expectNothingCreated(result, LaunchStatus.policy, XEN_ENODATA);
    });
  });

  describe.each(["xsm=dummy", "xsm=silo"])("with %s", (module) => {
    it("a launch without labels succeeds", async () => {
      expect((await under(domb, unlabelled, module)).outcome.status).toBe("success");
    });

    it("a launch with labels fails before anything is created", async () => {
      expectNothingCreated(await under(domb, launch, module), LaunchStatus.hypercall, XEN_ENOSYS);
    });
  });

  describe("of the boot domain's permissions", () => {
    const named = bootDomainPermissions
      .filter((one) => (one.architecture ?? architecture) === architecture)
      .map((one) => [`${one.on} ${one.class} ${one.permission}`, one] as const);
    const forAll = named.filter(([, one]) => one.relations === undefined);
    const forRelations = named.filter(([, one]) => one.relations !== undefined);

    it.each(forRelations)("%s can't be taken away", async (_, taken) => {
      const policy = await buildPolicy(bootDomainPermissions.filter((one) => one !== taken));
      const [denied] = denials(await linkedUnder(policy, idle));
      const on = taken.on.replace("initial_type", "linked_initial_t");
      const type = on.replace("initial_event_type", "linked_initial_t_channel");
      expect(denied).toContain(`{ ${taken.permission} }`);
      expect(denied).toContain(`scontext=${boot} tcontext=`);
      expect(denied).toContain(`:${type} tclass=${taken.class}`);
    });

    it.each(forAll)("%s can't be taken away", async (_, taken) => {
      const policy = await buildPolicy(bootDomainPermissions.filter((one) => one !== taken));
      const isDestroy = taken.permission === "destroy";
      const result = await under(policy, isDestroy ? impossible : launch);
      // Of both domains the control domain comes first; the undoing begins with the last one.
      const on = taken.on === "initial_type" ? `${isDestroy ? "" : "control_"}initial_t` : taken.on;
      const [denied] = denials(result);
      expect(denied).toContain(`{ ${taken.permission} }`);
      expect(denied).toContain(`scontext=${boot} tcontext=${label(on)} tclass=${taken.class}`);
      if (taken.permission === "writeconsole") {
        // The launch succeeds unheard, but for Xen's own line.
        expect(result.outcome.bootDomain.status).toBe(LaunchStatus.success);
        expect(result.outcome.receiptLines).toEqual([]);
      } else {
        expect(result.outcome.status).toBe("failed");
      }
    });
  });
});
