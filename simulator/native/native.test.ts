// SPDX-License-Identifier: Apache-2.0
// The boot domain's C does what its wasm does, import by import: on the suite, on failing and odd
// hypercalls, on damaged images; for hosts of x86-64 and arm64, as a program of each, plain and
// sanitized.

import { beforeAll, describe, expect, it } from "vitest";
import { MACHINE_ARM64, MACHINE_X86_64 } from "../../contract/image.js";
import { ReceiptHeader } from "../../contract/receipt.js";
import { XEN_EINVAL } from "../../contract/xen-abi.js";
import { compiled } from "../../lab/lab-bench.js";
import type { Hypercall } from "../../xen-model/hypercalls.js";
import { architectures } from "../../xen-model/machines.js";
import type { Fault } from "../faults.js";
import { fuzzCase } from "../fuzz.js";
import { hostileHost } from "../hostile-host.js";
import { SeededNumbers } from "../seeded.js";
import { loadBootDomain, simulateLaunch } from "../simulate.js";
import { onArm64 } from "../suite/arm64-launch.js";
import { suite } from "../suite.js";
import { buildReplay, replay, variants } from "./build.js";
import {
  encodeRecording,
  type RecordedCall,
  type RecordedCase,
  type Recording,
  recordLaunch,
} from "./record.js";

const freePages = 0x100000;
const probe = { kernel: "build/guests/probe.elf", memory: "4 MiB", output: "xen-log" } as const;
/** On each architecture. */
const FUZZED_LAUNCHES = 500;
const HOSTILE_LAUNCHES = 150;

let wasm: WebAssembly.Module;
let good: RecordedCase;
let recordings: readonly Recording[];
let encoded: readonly Uint8Array[];

function hypercallsOf({ image, machine }: RecordedCase): readonly Hypercall[] {
  const calls: Hypercall[] = [];
  simulateLaunch(image, {
    ...{ wasm, machine, freePages },
    inject: (call) => {
      calls.push(call);
      return undefined;
    },
  });
  return calls;
}

/** Each hypercall answers each of these, after it has done nothing. */
function faultyCases(launch: RecordedCase): readonly RecordedCase[] {
  const answers = [-XEN_EINVAL, -0x80000000, 1, 0x7fffffff];
  return hypercallsOf(launch).flatMap(({ name: hypercall, occurrence }) =>
    answers.map((answer) => {
      const fault: Fault = { hypercall, occurrence, answer, done: 0 };
      const name = `fault: ${hypercall} ${occurrence} answers ${answer}`;
      return { ...launch, name, faults: [fault] };
    }),
  );
}

function fuzzedCases({ image, machine = MACHINE_X86_64 }: RecordedCase): readonly RecordedCase[] {
  return Array.from({ length: FUZZED_LAUNCHES }, (_, seed) => {
    const { hostile, ...changed } = fuzzCase(image, `native ${seed}`);
    const launch = { ...changed, machine, name: `fuzz ${seed}` };
    return hostile === undefined ? launch : { ...launch, between: hostileHost(hostile) };
  });
}

function hostileCases(launch: RecordedCase): readonly RecordedCase[] {
  return Array.from({ length: HOSTILE_LAUNCHES }, (_, seed) => ({
    ...launch,
    name: `hostile host ${seed}`,
    between: hostileHost(new SeededNumbers(`hostile ${seed}`)),
  }));
}

interface Change {
  readonly change: (recording: Recording) => Partial<Recording>;
  /** What the replay then says. */
  readonly reported: RegExp;
}

const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));

/** Changes the last call of a name. */
const inCall =
  (name: RecordedCall["name"], change: (call: RecordedCall) => Partial<RecordedCall>) =>
  ({ calls }: Recording): Partial<Recording> => {
    const last = calls.findLastIndex((call) => call.name === name);
    return {
      calls: calls.map((call, index) => (index === last ? { ...call, ...change(call) } : call)),
    };
  };

/** Changes a byte of the memory that a call is passed. */
const inPassed = (name: RecordedCall["name"], area: number, at: number): Change["change"] =>
  inCall(name, ({ passed }) => ({
    passed: passed.map(({ address, bytes }, index) => ({
      address,
      bytes: index === area ? flip(bytes, at) : bytes,
    })),
  }));

const changes: readonly Change[] = [
  {
    change: inCall("imageRead", ({ words: [offset = 0, ...more] }) => ({
      words: [offset + 1, ...more],
    })),
    reported: /: imageRead: argument 1 is 0x\w+, recorded 0x\w+$/,
  },
  { change: inPassed("domctl", 0, 8), reported: /: domctl: byte 8 of 144 at 0x/ },
  { change: inPassed("memoryOp", 1, 9), reported: /: memoryOp: byte 9 of \d+ at 0x/ },
  { change: inPassed("bootDomainOp", 0, 0), reported: /: bootDomainOp: byte 0 of 32 at 0x/ },
  { change: inPassed("consoleWrite", 0, 3), reported: /: consoleWrite: byte 3 of \d+ at 0x/ },
  {
    change: inCall("domctl", () => ({ answer: -1n })),
    reported: /: it is \w+, recorded \w+$|: \w+: /,
  },
  {
    change: inCall("clock", ({ answer }) => ({ answer: answer + 1n })),
    reported: /: consoleWrite: byte/,
  },
  {
    change: ({ calls }) => ({ calls: calls.slice(0, -1), exited: false }),
    reported: /: bootDomainOp is one call more than recorded$/,
  },
  {
    change: ({ calls }) => ({ calls: [...calls, ...calls.slice(-1)] }),
    reported: /: the launch returned, recorded that it exits$/,
  },
  {
    change: ({ receipt }) => ({
      receipt: { ...receipt, bytes: flip(receipt.bytes, ReceiptHeader.size + 1) },
    }),
    reported: new RegExp(`: receipt: byte ${ReceiptHeader.size + 1} of \\d+ at 0x`),
  },
  {
    change: ({ memoryHash }) => ({ memoryHash: memoryHash ^ 1 }),
    reported: /: linear memory's hash is /,
  },
];

beforeAll(async () => {
  wasm = await loadBootDomain();
  const { plan, materials, image } = await compiled({
    domb: 1,
    domains: { first: { ...probe, cmdline: "first" }, second: { ...probe, cmdline: "second" } },
  });
  good = { name: "two probes", image, freePages, faults: [] };
  const bytes = materials.map((material) => material.bytes);
  const goodOnArm64 = {
    ...good,
    machine: MACHINE_ARM64,
    image: onArm64({ plan, materials: bytes }).image,
  };
  const suites = await Promise.all(architectures.map(suite));
  const cases = [
    good,
    goodOnArm64,
    // Most of a suite is the same to the boot domain on each architecture: each has its share of it.
    ...suites.flatMap((one, share) =>
      one.filter((_, index) => index % architectures.length === share),
    ),
    ...faultyCases(good).filter((_, index) => index % 2 === 0),
    ...faultyCases(goodOnArm64).filter((_, index) => index % 2 === 1),
    ...[good, goodOnArm64].flatMap((launch) => [...fuzzedCases(launch), ...hostileCases(launch)]),
  ];
  recordings = cases.map((launch) => recordLaunch(wasm, launch));
  encoded = recordings.map(encodeRecording);
});

describe.each(variants)("the boot domain's C, $name,", (variant) => {
  let program = "";
  beforeAll(async () => {
    program = await buildReplay(variant);
  });

  it("passes every import what the wasm passes, and leaves the same memory", async () => {
    const imports = recordings.reduce((sum, { calls }) => sum + calls.length, 0);
    const { same, output } = await replay(variant, program, encoded);
    expect(output).toBe(`${recordings.length} launches, ${imports} imports: the same`);
    expect(same).toBe(true);
  });

  it("is reported when it differs from a recording in one byte, and where", async () => {
    const recording = recordLaunch(wasm, good);
    const changed = changes.map(({ change }, index) =>
      encodeRecording({ ...recording, ...change(recording), name: `change ${index}` }),
    );
    const { same, output } = await replay(variant, program, changed);
    const lines = output.split("\n");
    for (const [index, { reported }] of changes.entries()) {
      expect(lines[index]).toMatch(/^change \d+: call \d+ of \d+: /);
      expect(lines[index]).toMatch(reported);
    }
    expect(lines.at(-1)).toBe(`${changes.length} of ${changes.length} launches differ`);
    expect(same).toBe(false);
  });
});

describe.each(variants.filter(({ sanitized }) => sanitized))(
  "the boot domain's C, $name, built and run for a misuse",
  (variant) => {
    const misused = async (...options: readonly string[]): Promise<string> => {
      const program = await buildReplay(variant);
      const { same, output } = await replay(variant, program, encoded.slice(0, 1), options);
      expect(same).toBe(false);
      expect(output).toMatch(/two probes: call \d+ of \d+: the boot domain ended/);
      return output;
    };

    it("is caught in an access outside its memory", async () => {
      // Without the last 0x4801 bytes, a hypercall's argument lies outside, and the image's header.
      const output = await misused("--missing-bytes", "0x4801");
      expect(output).toMatch(/heap-buffer-overflow[\s\S]* in \w+ \S*domb\.c:\d+/);
    });

    it("is caught in undefined behaviour: a pointer that wraps", async () => {
      expect(await misused("--wraps")).toMatch(/domb\.c:\d+:\d+: runtime error: /);
    });
  },
);
