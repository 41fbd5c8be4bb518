// SPDX-License-Identifier: Apache-2.0
// The judge sees each promise broken: a boot domain that breaks it is played by what stands between
// it and the model.

import { beforeAll, describe, expect, it } from "vitest";
import { ImageHeader, MACHINE_ARM64 } from "../contract/image.js";
import { LaunchStatus } from "../contract/receipt.js";
import * as abi from "../contract/xen-abi.js";
import { vcpu_guest_context_size } from "../contract/xen-abi-arm64.js";
import { judgeLaunch, memoryGaps } from "./judge.js";
import {
  type BootDomainImports,
  loadBootDomain,
  memoryBase,
  type SimulationOptions,
} from "./simulate.js";
import { type BaseLaunch, baseLaunches } from "./suite/base-launch.js";

const freePages = 0x4000;

let wasm: WebAssembly.Module;
let two: BaseLaunch;

beforeAll(async () => {
  wasm = await loadBootDomain();
  two = (await baseLaunches()).two;
});

type Xen = BootDomainImports["xen"];
type Machine = BootDomainImports["machine"];

function brokenWith(between: SimulationOptions["between"], image = two.image): string {
  return judgeLaunch(image, { wasm, freePages, between }).broken.join("; ");
}

const withXen = (change: (xen: Xen, memory: () => Uint8Array) => Partial<Xen>) =>
  brokenWith(({ machine, xen }, memory) => ({
    machine,
    xen: { ...xen, ...change(xen, memory) },
  }));

const withMachine = (change: (machine: Machine) => Partial<Machine>) =>
  brokenWith(({ machine, xen }) => ({ machine: { ...machine, ...change(machine) }, xen }));

describe("the judge", () => {
  it("finds nothing in a launch that goes well", () => {
    expect(judgeLaunch(two.image, { wasm, freePages }).broken).toEqual([]);
  });

  it("sees a read beyond the image", () => {
    const beyond = withMachine(({ imageRead }) => ({
      imageRead: (offset, to, bytes) => imageRead(offset + two.image.length, to, bytes),
    }));
    expect(beyond).toContain("trapped");
  });

  it("sees a domain started with bytes that were not verified", () => {
    const other = withXen(({ bootDomainOp }, memory) => ({
      bootDomainOp: (command, argument) => {
        if (command === abi.XEN_BOOT_DOMAIN_copy) {
          const source = argument + abi.xen_boot_domain_fill_source_gfn_offset;
          const view = new DataView(memory().buffer);
          view.setBigUint64(source, view.getBigUint64(source, true) - 1n, true);
        }
        return bootDomainOp(command, argument);
      },
    }));
    expect(other).toContain("d1 was started with bytes that were not verified");
  });

  it("sees a context that was not verified", () => {
    const other = withXen(({ domctl }, memory) => ({
      domctl: (argument) => {
        const view = new DataView(memory().buffer);
        if (view.getUint32(argument, true) === abi.XEN_DOMCTL_sethvmcontext) {
          const buffer = argument + abi.xen_domctl_u_hvmcontext_buffer_offset;
          const context = Number(view.getBigUint64(buffer, true) - memoryBase);
          const header = abi.hvm_save_descriptor_size + abi.hvm_save_header_size;
          const rbx = context + header + abi.hvm_save_descriptor_size + abi.hvm_hw_cpu_rbx_offset;
          view.setUint32(rbx, 0xdead, true);
        }
        return domctl(argument);
      },
    }));
    expect(other).toContain("d1 runs with a context not verified");
  });

  it("sees one on arm64, where Xen reads more than the material if that is short", async () => {
    const { one } = await baseLaunches("arm64");
    const judged = (between?: SimulationOptions["between"]): string =>
      judgeLaunch(one.image, { wasm, machine: MACHINE_ARM64, freePages, between }).broken.join(
        "; ",
      );
    expect(judged()).toBe("");
    const last = vcpu_guest_context_size - 1;
    const other = judged(({ machine, xen }, memory) => ({
      machine,
      xen: {
        ...xen,
        domctl: (argument) => {
          const view = new DataView(memory().buffer);
          if (view.getUint32(argument, true) === abi.XEN_DOMCTL_setvcpucontext) {
            const pointer = argument + abi.xen_domctl_u_vcpucontext_ctxt_offset;
            memory()[Number(view.getBigUint64(pointer, true) - memoryBase) + last] = 1;
          }
          return xen.domctl(argument);
        },
      },
    }));
    expect(other).toContain("d1 runs with a context not verified");
  });

  it("sees an exit that is not what the receipt says", () => {
    const other = withXen(({ bootDomainOp }, memory) => ({
      bootDomainOp: (command, argument) => {
        if (command === abi.XEN_BOOT_DOMAIN_exit) memory()[argument] = LaunchStatus.stalled;
        return bootDomainOp(command, argument);
      },
    }));
    expect(other).toContain(`the exit has status ${LaunchStatus.stalled}, the receipt 0`);
  });

  it("sees more work than the plan's bound", () => {
    const twice = withXen(({ consoleWrite }) => ({
      consoleWrite: (text, bytes) => {
        consoleWrite(text, bytes);
        return consoleWrite(text, bytes);
      },
    }));
    expect(twice).toMatch(/\d+ hypercalls, of \d+ at most/);
    const again = withMachine(({ imageRead }) => ({
      imageRead: (offset, to, bytes) => {
        imageRead(offset, to, bytes);
        imageRead(offset, to, bytes);
      },
    }));
    expect(again).toMatch(/bytes of the image read, of \d+ at most/);
  });

  it("sees a write where no table is", () => {
    const gaps = memoryGaps(wasm, [[0x8000, 0x8100]]);
    const scribble: SimulationOptions["between"] = ({ machine, xen }, memory) => ({
      machine: {
        ...machine,
        clock: () => {
          memory()[0x8080] = 1;
          return machine.clock();
        },
      },
      xen,
    });
    const { broken } = judgeLaunch(two.image, { wasm, freePages, gaps, between: scribble });
    expect(broken).toEqual([`the memory from ${0x8000} has changed, where no table is`]);
  });

  it("sees pages that are lost", () => {
    const lost = brokenWith((imports, _, model) => {
      model.host.freePages--;
      return imports;
    });
    expect(lost).toContain("pages were lost or made");
  });

  it("sees an image refused that may run, and one accepted that must not", () => {
    const refused = brokenWith(({ machine, xen }, memory) => ({
      machine: {
        ...machine,
        imageRead: (offset, to, bytes) => {
          machine.imageRead(offset, to, bytes);
          if (offset === 0 && bytes === ImageHeader.size) memory()[to] = 0;
        },
      },
      xen,
    }));
    expect(refused).toContain("for an image that may run");
    const wrong = two.image.slice();
    wrong[0] = 0;
    const accepted = brokenWith(
      ({ machine, xen }, memory) => ({
        machine: {
          ...machine,
          imageRead: (offset, to, bytes) => {
            machine.imageRead(offset, to, bytes);
            if (offset === 0) memory()[to] = two.image[0] ?? 0;
          },
        },
        xen,
      }),
      wrong,
    );
    expect(accepted).toContain("for an image that must not run");
  });
});
