// SPDX-License-Identifier: Apache-2.0
// An image that no compiler of ours made may name a domain as it likes; its output stays where the
// outputs belong.

import { createHash } from "node:crypto";
import { basename } from "node:path";
import { expect, it } from "vitest";
import { DomainRecord, ImageHeader, PlanHeader } from "../contract/image.js";
import { guestKernel } from "../guests/build.js";
import { booted, compiled, everyArchitecture } from "./lab-bench.js";

it.each(everyArchitecture)(
  "keeps the output of a domain whose name is a path in a file of its domid on %s",
  async (_, architecture) => {
    const { image, xenCommandLine } = await compiled({
      domb: 1,
      domains: {
        hello: { kernel: guestKernel("hello", architecture), memory: "64 MiB", output: "xen-log" },
      },
    });
    const view = new DataView(image.buffer, image.byteOffset);
    const plan = view.getUint32(ImageHeader.planOffset, true);
    const planBytes = view.getUint32(ImageHeader.planBytes, true);
    image.set(Buffer.from("../../escape"), plan + PlanHeader.size + DomainRecord.name);
    const digest = createHash("sha256")
      .update(image.subarray(plan, plan + planBytes))
      .digest();
    image.set(digest, ImageHeader.planDigest);
    const { outcome, outputs } = await booted(image, xenCommandLine);
    expect(outcome.status).toBe("success");
    expect(outcome.domains.map(({ output }) => basename(output))).toEqual(["d1.log"]);
    expect(outputs["../../escape"]).toContain("domb: domain is up");
  },
);
