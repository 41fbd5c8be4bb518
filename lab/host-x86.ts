// SPDX-License-Identifier: Apache-2.0
// An x86-64 host in QEMU: Xen is a Multiboot kernel, and its boot modules follow it.

import { commonWords, type HostRequest, hostFiles, quoteCommas } from "./qemu.js";

export const x86Program = "qemu-system-x86_64";

/** Words for the machine's processor. */
// RDTSCP in guests ends in a missing instruction length, SMAP in faults, under emulation. XSETBV in
// guests passes Xen by; it then takes AVX away from them, but only if they have protection keys.
export const x86Processor = ["-cpu", "max,smap=off,rdtscp=off,pku=off"] as const;

/** The words of QEMU's command line. */
export function x86Words(request: HostRequest): string[] {
  const modules = request.modules.map(({ file, commandLine }) =>
    quoteCommas(commandLine === undefined ? file : `${file} ${commandLine}`),
  );
  return [
    ...["-machine", "q35", ...x86Processor],
    ...commonWords(request),
    ...["-kernel", hostFiles.xen],
    ...["-initrd", modules.join()],
    ...["-append", request.xenCommandLine],
  ];
}
