// SPDX-License-Identifier: Apache-2.0
// examples/recovery on real Xen: the recovery domain runs when the main plan is refused, and only
// then.

import { beforeAll, describe, expect, it } from "vitest";
import { ImageHeader, RECOVERY_HEADER } from "../contract/image.js";
import { LaunchStatus } from "../contract/receipt.js";
import { signedImage, testKey } from "../simulator/suite/test-keys.js";
import { type Booted, booted, compiledExample, everyArchitecture } from "./lab-bench.js";

const owner = testKey(1);
const trust = { keys: [owner.key], leastLaunchVersion: 1 };

const mainSignature = ImageHeader.size;
const recoverySignature = RECOVERY_HEADER + ImageHeader.size;

describe.each(everyArchitecture)("examples/recovery on %s", (_, architecture) => {
  let signed: Uint8Array;
  let xenCommandLine: string;

  beforeAll(async () => {
    const launch = await compiledExample("recovery", architecture);
    signed = await signedImage(launch.image, owner);
    ({ xenCommandLine } = launch);
  });

  function bootedWith(...damaged: readonly number[]): Promise<Booted> {
    const image = signed.slice();
    for (const at of damaged) image[at] = (image[at] ?? 0) ^ 1;
    return booted(image, xenCommandLine, { trust });
  }

  it("[RFC-VERIFIED] runs its main plan, and no recovery, as it was signed", async () => {
    const { outcome, xenLog } = await bootedWith();
    expect(outcome).toMatchObject({
      status: "success",
      verification: { verifiedBy: 1, launchVersion: 1, recoveredFrom: 0 },
      domains: [{ name: "worker" }],
    });
    expect(xenLog).not.toContain("the launch was refused");
  });

  it("[RFC-VERIFIED] runs its recovery plan alone when the main one was changed", async () => {
    const { outcome, outputs } = await bootedWith(mainSignature);
    expect(outcome).toMatchObject({
      status: "recovered",
      bootDomain: { exited: true, status: LaunchStatus.success },
      verification: { verifiedBy: 1, recoveredFrom: LaunchStatus.signature },
      domains: [{ name: "rescue" }],
    });
    expect(outputs.rescue).toContain("hello: the launch was refused");
  });

  it("[RFC-VERIFIED] runs nothing when both were changed", async () => {
    const { outcome, xenLog } = await bootedWith(mainSignature, recoverySignature);
    expect(outcome).toMatchObject({
      status: "failed",
      bootDomain: { exited: true, status: LaunchStatus.signature },
    });
    expect(xenLog).not.toContain("hello: ");
  });
});
