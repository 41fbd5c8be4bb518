// SPDX-License-Identifier: Apache-2.0
// A host that behaves as Xen never does: any answer to any hypercall, noise in the arguments that
// Xen may write to, a clock that jumps. Put between boot domain and model, it lets most calls
// through, so that a launch gets far before it meets something odd.

import * as abi from "../contract/xen-abi.js";
import type { SeededNumbers } from "./seeded.js";
import type { BootDomainImports } from "./simulate.js";

const oddAnswers = [
  -0x80000000,
  -0x7fffffff,
  -4096,
  -1000,
  -abi.XEN_ENOSYS,
  -abi.XEN_EPERM,
  -1,
  0,
  1,
  511,
  513,
  0x7fffffff,
];
/** In a hundred calls. */
const ODD_CHANCE = 4;

/** The `between` of a simulation, driven by the numbers. */
export function hostileHost(
  numbers: SeededNumbers,
): (imports: BootDomainImports, memory: () => Uint8Array) => BootDomainImports {
  return (imports, memory) => {
    let skipped = 0n;
    const maybe = (argument: number, bytes: number, call: () => number): number => {
      const before = numbers.percent(ODD_CHANCE);
      const answer = before && numbers.percent(50) ? 0 : call();
      if (!before) return answer;
      if (numbers.percent(30)) {
        const area = memory().subarray(argument >>> 0, (argument >>> 0) + bytes);
        for (let at = 0; at < area.length; at += 4) area[at] = numbers.u32() & 0xff;
      }
      return numbers.one(oddAnswers);
    };
    const { machine, xen } = imports;
    return {
      machine: {
        imageRead: machine.imageRead,
        trustRead: machine.trustRead,
        clock: () => {
          if (numbers.percent(ODD_CHANCE))
            skipped = BigInt(numbers.u32()) << BigInt(numbers.below(33));
          return BigInt.asUintN(64, machine.clock() + skipped);
        },
      },
      xen: {
        domctl: (argument) => maybe(argument, abi.xen_domctl_size, () => xen.domctl(argument)),
        sysctl: (argument) => maybe(argument, abi.xen_sysctl_size, () => xen.sysctl(argument)),
        memoryOp: (command, argument) =>
          maybe(argument, abi.xen_memory_reservation_size, () => xen.memoryOp(command, argument)),
        consoleWrite: (text, bytes) => maybe(text, 0, () => xen.consoleWrite(text, bytes)),
        xsmOp: (argument) => maybe(argument, abi.xen_flask_op_size, () => xen.xsmOp(argument)),
        bootDomainOp: (command, argument) =>
          maybe(argument, abi.xen_boot_domain_fill_size, () => xen.bootDomainOp(command, argument)),
      },
    };
  };
}
