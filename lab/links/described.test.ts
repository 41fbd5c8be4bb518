// SPDX-License-Identifier: Apache-2.0
// The links of a description on real Xen, between tiny kernels that do what their command lines tell
// them: bytes pass both ways, a reader can't write, others are kept out, and nothing is left of it.

import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { DomainInput, LaunchInput } from "../../compiler/description/define-launch.js";
import { DEFAULT_BOARD, platformOf } from "../../compiler/guest/platforms.js";
import { wireLaunch } from "../../compiler/guest/wire-launch.js";
import { LaunchStatus } from "../../contract/receipt.js";
import { XEN_EACCES, XEN_EINVAL } from "../../contract/xen-abi.js";
import { guestKernel } from "../../guests/build.js";
import { type Architecture, paths } from "../../setup/paths.js";
import { parseReceiptLines } from "../../xen-model/receipt.js";
import type { BootRequest } from "../boot.js";
import { type Booted, booted, compiled, described, everyArchitecture } from "../lab-bench.js";
import { bootedOrder, refused, statesIn } from "../order/order-bench.js";
import { answers, linkedGuest } from "./linked-launch.js";

/** GNTST_permission_denied and GNTST_general_error of Xen's public/grant_table.h, as guests say it. */
const PERMISSION_DENIED = "-8";
const NOT_FOR_THIS_DOMAIN = "-1";
/** What guests/linked writes: the page's owner, and who else may write. */
const fromOwner = (page: number): string => (0x6f776e + page).toString(16);
const fromOther = (page: number): string => (0x6f7468 + page).toString(16);

const errno = (value: number): string => `-${value.toString(16)}`;
const up = "domb: domain is up";

const ring = { kind: "shared-memory", name: "ring", size: "8 KiB" } as const;
const view = { kind: "shared-memory", name: "view", size: "8 KiB" } as const;
const bell = { kind: "event-channel", name: "bell" } as const;
const back = { kind: "event-channel", name: "back" } as const;

/** First shares memory with second, which may write to one part and read the other. */
const links: LaunchInput["links"] = [
  { ...view, writers: ["first"], readers: ["second"] },
  { ...ring, writers: ["first", "second"] },
  { ...bell, between: ["first", "second"] },
  { ...back, between: ["second", "first"] },
];

async function launched(launch: LaunchInput, more: Partial<BootRequest> = {}): Promise<Booted> {
  const { image, xenCommandLine } = await compiled(launch);
  return booted(image, xenCommandLine, more);
}

/** Words with which a domain tries to use the links of two others as if they were its own. */
function trespassing(launch: LaunchInput, architecture: Architecture): string {
  const wirings = wireLaunch(described(launch), platformOf(architecture, DEFAULT_BOARD));
  if (!wirings.ok) throw new Error("bug: the launch can't be wired");
  const words = wirings.value.get("second")?.told ?? [];
  return words
    .flatMap((word) => {
      if (word.kind === "map") {
        const { link, peer, reference, access } = word;
        return [`link.${link}=map:${peer}:${reference}:1:${access}`];
      }
      return word.kind === "bind" ? [`link.${word.link}=bind:${word.peer}:${word.port}`] : [];
    })
    .join(" ");
}

describe.each(everyArchitecture)("links of a description on %s", (_, architecture) => {
  let result: Booted;
  let first: ReadonlyMap<string, string>;
  let second: ReadonlyMap<string, string>;
  let stranger: ReadonlyMap<string, string>;

  beforeAll(async () => {
    const guest = linkedGuest(architecture, "");
    const launch = (cmdline: string): LaunchInput => ({
      domb: 1,
      domains: { first: guest, second: guest, stranger: linkedGuest(architecture, cmdline) },
      links,
    });
    result = await launched(launch(trespassing(launch(""), architecture)));
    const { outputs } = result;
    first = answers(outputs.first ?? "", "linked");
    second = answers(outputs.second ?? "", "linked");
    stranger = answers(outputs.stranger ?? "", "linked");
  });

  it("wake either domain, whichever of them has opened the channel", () => {
    expect(result.outcome).toMatchObject({ status: "success" });
    expect(first.get("bell heard")).toBe("1");
    expect(first.get("bell answered")).toBe("0");
    expect(second.has("bell heard")).toBe(true);
    expect(second.get("back heard")).toBe("1");
    expect(second.get("back answered")).toBe("0");
    expect(first.has("back heard")).toBe(true);
  });

  it("carry bytes both ways in memory that both may write", () => {
    expect(second.get("ring map")).toBe("0");
    expect(second.get("ring read")).toBe(fromOwner(1));
    expect(first.get("ring read")).toBe(fromOther(0));
  });

  it("let the owner map its memory as the others do", () => {
    expect(first.get("ring map-own")).toBe("0");
    expect(first.get("ring read-own")).toBe(fromOwner(0));
  });

  it("let a reader read, but not map to write", () => {
    expect(second.get("view map-to-write")).toBe(NOT_FOR_THIS_DOMAIN);
    expect(second.get("view map")).toBe("0");
    expect(second.get("view read")).toBe(fromOwner(1));
  });

  it("let nobody else map or bind", () => {
    expect(stranger.get("ring map")).toBe(PERMISSION_DENIED);
    expect(stranger.get("view map")).toBe(PERMISSION_DENIED);
    expect(stranger.get("bell bound")).toBe(errno(XEN_EINVAL));
  });
});

describe.each(everyArchitecture)("a reader that writes on %s", (_, architecture) => {
  it("is stopped by the hardware, and changes nothing", async () => {
    const result = await launched(
      {
        domb: 1,
        domains: {
          first: linkedGuest(architecture, "then=watch"),
          second: linkedGuest(architecture, "then=trespass"),
        },
        links: [
          { ...view, writers: ["first"], readers: ["second"] },
          { ...bell, between: ["first", "second"] },
        ],
      },
      { until: [{ domain: "first", text: up }] },
    );
    const second = answers(result.outputs.second ?? "", "linked");
    expect(second.get("view read")).toBe(fromOwner(1));
    expect(second.get("trespass writes")).toBe(fromOther(0));
    expect(answers(result.outputs.first ?? "", "linked").get("view has")).toBe("0");
    // On x86-64 Xen drops the write; on arm64 the processor tries it for ever.
    expect(second.get("trespass reads")).toBe(architecture === "arm64" ? undefined : "0");
    expect(result.outcome.status).toBe("success");
  });
});

describe.each(everyArchitecture)("links on %s", (_, architecture) => {
  it("with a domain that the launch goes on without are left out, the others are made", async () => {
    const guest = linkedGuest(architecture, "");
    const { image, xenCommandLine } = await compiled({
      domb: 1,
      domains: {
        first: guest,
        second: guest,
        // More than the host has.
        absent: { ...guest, memory: "2 GiB", onFailure: "continue" },
      },
      links: [
        { ...view, writers: ["first", "absent"], readers: ["second"] },
        { ...ring, writers: ["first", "second"] },
        { ...bell, between: ["first", "second"] },
        { ...back, between: ["absent", "first"] },
      ],
    });
    const launch = await bootedOrder(
      { image, xenCommandLine },
      { until: [{ domain: "second", text: up }] },
    );
    expect(statesIn(launch.receipt)).toEqual({
      ...{ first: "started", second: "started", absent: "failed" },
    });
    const first = answers(launch.outputs.first ?? "", "linked");
    const second = answers(launch.outputs.second ?? "", "linked");
    expect(second.get("view read")).toBe(fromOwner(1));
    expect(first.get("ring read")).toBe(fromOther(0));
    expect(first.get("bell answered")).toBe("0");
    expect(launch.outcome.status).toBe("success");
  });

  it("leave as much memory free when all is destroyed as a launch that has made none", async () => {
    const ready: Pick<DomainInput, "ready"> = { ready: { when: "signalled" } };
    const guest = { ...linkedGuest(architecture, ""), ...ready };
    const kernel = guestKernel("ready", architecture);
    const { image, xenCommandLine } = await compiled({
      domb: 1,
      domains: {
        first: guest,
        second: guest,
        last: { kernel, cmdline: "crash", memory: "16 MiB", after: ["first", "second"], ...ready },
      },
      links,
    });
    const ended = await bootedOrder({ image, xenCommandLine });
    const nothing = await bootedOrder({ image: refused(image), xenCommandLine });
    expect(ended.receipt.status).toBe(LaunchStatus.ended);
    expect(statesIn(ended.receipt)).toEqual({
      ...{ first: "destroyed", second: "destroyed", last: "destroyed" },
    });
    expect(answers(ended.outputs.first ?? "", "linked").has("back heard")).toBe(true);
    expect(answers(ended.outputs.second ?? "", "linked").get("ring map")).toBe("0");
    // Xen keeps a receipt of either, which takes a page or two.
    expect(Math.abs(ended.freePages - nothing.freePages)).toBeLessThanOrEqual(2);
  });
});

describe.each(everyArchitecture)("links under FLASK on %s", (_, architecture) => {
  const domain = (type: string): DomainInput => ({
    ...linkedGuest(architecture, ""),
    label: `system_u:system_r:${type}`,
  });
  const launch = (more: NonNullable<LaunchInput["links"]>): LaunchInput => ({
    domb: 1,
    policy: { xsm: paths.xenPolicy() },
    domains: {
      first: domain("linked_initial_t"),
      second: domain("linked_initial_t"),
      other: domain("initial_t"),
    },
    links: [...(links ?? []), ...more],
  });
  const underFlask = async (): Promise<Partial<BootRequest>> => ({
    policy: await readFile(paths.xenPolicy()),
    // 32 ns an instruction: arm64's Xen counts down three seconds where SILO is not its module.
    ...(architecture === "arm64" ? { instructionShift: 5 } : {}),
  });

  it("are for domains with the label for it, as domb's policy has it, and for no others", async () => {
    const result = await launched(
      launch([
        { kind: "shared-memory", name: "denied", size: "4 KiB", writers: ["first", "other"] },
      ]),
      await underFlask(),
    );
    const { outputs } = result;
    const first = answers(outputs.first ?? "", "linked");
    const second = answers(outputs.second ?? "", "linked");
    expect(first.get("ring read")).toBe(fromOther(0));
    expect(second.get("view read")).toBe(fromOwner(1));
    expect(second.get("back answered")).toBe("0");
    expect(answers(outputs.other ?? "", "linked").get("denied map")).toBe(PERMISSION_DENIED);
    expect(result.outcome.status).toBe("success");
  });

  it("fail the launch where a channel is for a domain without the label", async () => {
    const result = await launched(
      launch([{ kind: "event-channel", name: "unheard", between: ["first", "other"] }]),
      await underFlask(),
    );
    const receipt = parseReceiptLines(result.outcome.receiptLines);
    expect(receipt).toMatchObject({ status: LaunchStatus.hypercall, error: XEN_EACCES });
  });
});
