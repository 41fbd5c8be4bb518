// SPDX-License-Identifier: Apache-2.0
// On arm64, the machine code that making domains at boot takes: what in an unpatched Xen serves
// dom0less alone, against what the patches add to Xen and the boot domain. By bytes of machine code
// as linked; data, and the compiler's and the linker's parts outside of them, are not counted.

import { join } from "node:path";
import { execa } from "execa";
import { built, toolFor } from "../bootdomain/build.js";
import { paths } from "../setup/paths.js";
import { type Figure, textBytes } from "./sizes.js";

/**
 * Functions of Xen 4.17.5 that nothing but dom0less needs: the domUs of the device tree, their event
 * channels, and the host's console as input of their UARTs. The compiler puts into construct_domU()
 * allocate_memory(), prepare_dtb_domU(), make_gicv2_domU_node(), make_gicv3_domU_node(),
 * make_vpl011_uart_node(), domain_handle_dtb_bootmodule() and alloc_xenstore_evtchn(); into
 * scan_pfdt_node() handle_prop_pfdt() and handle_passthrough_prop(). Left out is what it puts into
 * functions that dom0 needs as well: find_domU_holes(), process_domain_node(), is_dom0less_mode()
 * and vpl011_write_data_xen(). Static and shared memory are not built: they are off by default.
 */
const dom0lessFunctions = [
  "create_domUs",
  "construct_domU",
  "scan_pfdt_node",
  "alloc_static_evtchn",
  "alloc_domain_evtchn",
  "get_evtchn_dt_property",
  "vpl011_rx_char_xen",
];

/** The program's symbols: address, size if it has one, name. */
async function symbolsOf(xen: string): Promise<Map<string, { address: number; bytes: number }>> {
  const { stdout } = await execa(toolFor("arm64", "nm"), ["--print-size", join(xen, "xen-syms")]);
  const lines = [...stdout.matchAll(/^([0-9a-f]{16}) (?:([0-9a-f]{16}) )?[a-zA-Z] (\S+)$/gm)];
  return new Map(
    lines.map(([, address = "", bytes = "0", name = ""]) => [
      name,
      { address: Number.parseInt(address, 16), bytes: Number.parseInt(bytes, 16) },
    ]),
  );
}

type Symbols = Awaited<ReturnType<typeof symbolsOf>>;

function find(symbols: Symbols, name: string) {
  const symbol = symbols.get(name);
  if (symbol === undefined) throw new Error(`this Xen has no symbol ${name}`);
  return symbol;
}

/** Bytes between two of the linker script's symbols. */
function between(symbols: Symbols, from: string, to: string): number {
  return find(symbols, to).address - find(symbols, from).address;
}

/** What serves dom0less alone, and of it what Xen keeps when it has booted. */
function dom0lessBytes(symbols: Symbols): { all: number; kept: number } {
  const kept = find(symbols, "_etext").address;
  const functions = dom0lessFunctions.map((name) => find(symbols, name));
  const sum = (some: typeof functions): number => some.reduce((all, { bytes }) => all + bytes, 0);
  return { all: sum(functions), kept: sum(functions.filter(({ address }) => address < kept)) };
}

export async function dom0lessCodeFigures(): Promise<Figure[]> {
  const unpatched = await symbolsOf(paths.arm64UnpatchedXen);
  const patched = await symbolsOf(paths.arm64XenFolder);
  const added = (from: string, to: string): number =>
    between(patched, from, to) - between(unpatched, from, to);
  const kept = added("_stext", "_etext");
  const freed = added("_sinittext", "_einittext");
  const bootDomain = await textBytes(built.arm64Elf);
  const { all, kept: keptOfDom0less } = dom0lessBytes(unpatched);
  const rows: [string, number][] = [
    ["what dom0less alone uses in Xen", all],
    ["… of it kept when Xen has booted", keptOfDom0less],
    ["what the patches add to Xen", kept + freed],
    ["… of it kept when Xen has booted", kept],
    ["boot domain, text as linked, gone with its exit", bootDomain],
    ["patches and boot domain", kept + freed + bootDomain],
  ];
  return rows.map(([what, value]) => ({ what, value, unit: "bytes" }));
}
