// SPDX-License-Identifier: Apache-2.0
// Launches under FLASK on real Xen: the boot domain's permissions suffice, and none is spare.

import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../../compiler/compile.js";
import { LaunchStatus } from "../../contract/receipt.js";
import { XEN_EACCES, XEN_ENOENT, XEN_EPERM } from "../../contract/xen-abi.js";
import { bootDomainPermissions } from "../../hypervisor/flask/permissions.js";
import { buildPolicy } from "../../hypervisor/flask/policy.js";
import { buildAltered } from "../altered-boot-domain.js";
import { type Booted, booted, compiled } from "../lab-bench.js";

const hello = { kernel: "build/guests/hello.elf", memory: "16 MiB", output: "xen-log" } as const;
const label = (type: string): string => `system_u:system_r:${type}`;
const boot = label("boot_domain_t");

/** Xen's errno for a buffer that is too small. */
const ENOBUFS = 105;

const own = process.env.DOMB_BOOT_DOMAIN;
let labelling: string;
let launch: CompiledLaunch;
let impossible: CompiledLaunch;

/** Builds a boot domain that gives domain n the nth label; returns its path. */
function buildLabelling(name: string, labels: readonly string[]): Promise<string> {
  const texts = labels.map((one) => JSON.stringify(one)).join();
  return buildAltered(name, "lab/flask/labelling.c", [`LABELS=${texts}`]);
}

function useOwn(): void {
  if (own === undefined) delete process.env.DOMB_BOOT_DOMAIN;
  else process.env.DOMB_BOOT_DOMAIN = own;
}

beforeAll(async () => {
  launch = await compiled({ domb: 1, domains: { first: hello, second: hello } });
  const large = { ...hello, memory: "2 GiB" };
  impossible = await compiled({ domb: 1, domains: { first: hello, second: large } });
  const labels = [label("initial_t"), label("control_initial_t")];
  labelling = await buildLabelling("labelling", labels);
});

beforeEach(() => {
  process.env.DOMB_BOOT_DOMAIN = labelling;
});

afterEach(useOwn);

const denials = ({ xenLog }: Booted): string[] =>
  xenLog.split("\n").filter((line) => line.includes("avc:  denied"));

function under(policy: Uint8Array, what = launch): Promise<Booted> {
  const options = `${what.xenCommandLine} xsm=flask flask=enforcing`;
  return booted(what.image, options, {
    policy,
    hostMemoryBytes: 256 * 0x100000,
    timeLimitSeconds: 200,
  });
}

const digits = (number: number): string => String(number).padStart(10, "0");

describe("under FLASK, with domb's policy", () => {
  it("a launch of two labelled domains succeeds, and nothing is denied", async () => {
    const policy = await buildPolicy();
    const result = await under(policy);
    expect(result.outcome).toMatchObject({ status: "success" });
    expect(denials(result)).toEqual([]);
    // Then the boot domain reads just what Xen was given, and nothing else of FLASK is open to it.
    const sum = policy.reduce((before, byte) => (Math.imul(before, 31) + byte) >>> 0, 0);
    expect(result.xenLog).toContain(`flask: policy bytes ${digits(policy.length)}`);
    expect(result.xenLog).toContain(`flask: policy sum ${digits(sum)}`);
    expect(result.xenLog).toContain(`flask: another command -${digits(XEN_EPERM)}`);
    expect(result.xenLog).toContain(`flask: no room -${digits(ENOBUFS)}`);
  });

  it("a launch that fails cleans up after itself, and nothing is denied", async () => {
    const result = await under(await buildPolicy(), impossible);
    expect(result.outcome.status).toBe("failed");
    expect(result.outcome.receiptLines.join("\n")).toMatch(
      /first d1 destroyed.*\n.*second d2 destroyed/,
    );
    expect(denials(result)).toEqual([]);
  });

  it("domains without labels are not created", async () => {
    useOwn();
    const { outcome, xenLog } = await under(await buildPolicy());
    expect(outcome.bootDomain.status).toBe(LaunchStatus.hypercall);
    expect(outcome.reason).toContain(`error ${XEN_EACCES}`);
    expect(xenLog).not.toContain("hello: ");
  });
});

describe("of the boot domain's permissions", () => {
  const named = bootDomainPermissions.map(
    (one) => [`${one.class} ${one.permission}`, one] as const,
  );

  it.each(named)("%s can't be taken away", async (_, taken) => {
    const policy = await buildPolicy(bootDomainPermissions.filter((one) => one !== taken));
    const isDestroy = taken.permission === "destroy";
    const result = await under(policy, isDestroy ? impossible : launch);
    // Xen names the label that the domain was given.
    const on = {
      // The undoing begins with the last one.
      initial_type: label(isDestroy ? "control_initial_t" : "initial_t"),
      xen_t: label("xen_t"),
      security_t: label("security_t"),
    };
    const [denied] = denials(result);
    expect(denied).toContain(`{ ${taken.permission} }`);
    expect(denied).toContain(`scontext=${boot} tcontext=${on[taken.on]} tclass=${taken.class}`);
    if (taken.permission === "writeconsole") {
      // The launch succeeds unheard, but for Xen's own line.
      expect(result.outcome.bootDomain.status).toBe(LaunchStatus.success);
      expect(result.outcome.receiptLines).toEqual([]);
    } else {
      expect(result.outcome.status).toBe("failed");
    }
  });

  it("the label says which domain has them: Xen gives each the one that was asked for", async () => {
    const labels = [label("control_initial_t"), label("domU_t")];
    process.env.DOMB_BOOT_DOMAIN = await buildLabelling("other", labels);
    const [denied] = denials(await under(await buildPolicy()));
    expect(denied).toContain(`scontext=${boot} tcontext=${label("domU_t")} tclass=domain`);
  });
});

describe("without FLASK", () => {
  it("there is no policy to read, though one is among the modules", async () => {
    const { xenLog } = await booted(launch.image, launch.xenCommandLine, {
      policy: await buildPolicy(),
    });
    expect(xenLog).toContain(`flask: policy -${digits(XEN_ENOENT)}`);
  });

  it.each(["dummy", "silo"])("a launch under %s works, with a policy and without", async (xsm) => {
    useOwn();
    for (const more of [{}, { policy: await buildPolicy() }]) {
      const { outcome } = await booted(launch.image, `${launch.xenCommandLine} xsm=${xsm}`, more);
      expect(outcome.status).toBe("success");
    }
  });
});
