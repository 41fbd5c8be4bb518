// SPDX-License-Identifier: Apache-2.0
// From a device tree by which Xen starts domains (dom0less) to a launch description. The tree has
// been decoded; its values are hostile still.

import { formatSize } from "../description/size.js";
import {
  allNodes,
  type DeviceTree,
  type DeviceTreeNode,
  isCompatible,
  nodeAt,
  type PlacedNode,
} from "../device-tree/device-tree.js";
import { readRows, readText } from "../device-tree/values.js";
import type { Place, Result } from "../diagnostics/diagnostic.js";
import {
  chosenProperties,
  domainProperties,
  hardwareProperties,
  moduleProperties,
  nodeKinds,
} from "./device-tree-keys.js";
import {
  type Import,
  type ImportedDomain,
  type KeyRule,
  type KeyTable,
  Report,
  rolesOfCapabilities,
  withoutDom0,
} from "./report.js";
import {
  type Cells,
  cellsOf,
  DEFAULT_CELLS,
  isModule,
  kindOf,
  type ModuleKind,
  otherKind,
  showValue,
  summaryOf,
  xenOptionsOf,
} from "./xen-nodes.js";

export interface DeviceTreeImport {
  /** The tree's file, for what is told of it. */
  readonly file: string;
  /** What the description calls the board's device tree. */
  readonly board: string;
  /** Files by the address at which the boot loader puts them, as the description names them. */
  readonly materials: ReadonlyMap<bigint, string>;
}

/** Turns the domains of a tree into a launch description. */
export function importDeviceTree(tree: DeviceTree, how: DeviceTreeImport): Result<Import> {
  return new TreeImporter(how).run(tree);
}

class TreeImporter {
  readonly #how: DeviceTreeImport;
  readonly #report = new Report();
  readonly #domains = new Map<string, ImportedDomain>();
  readonly #usedAddresses = new Set<bigint>();
  readonly #moduleAddresses = new Set<bigint>();
  #xsm: string | undefined;
  #hasDom0 = false;

  constructor(how: DeviceTreeImport) {
    this.#how = how;
  }

  run({ root }: DeviceTree): Result<Import> {
    const chosen = nodeAt(root, "/chosen");
    if (chosen !== undefined) {
      const cells = cellsOf(chosen, cellsOf(root, DEFAULT_CELLS));
      this.#chosen(chosen);
      for (const node of chosen.children)
        this.#child({ path: `/chosen/${node.name}`, node }, cells);
    }
    for (const { path, node } of allNodes(root)) {
      for (const [key, value] of node.properties) {
        const rule = hardwareProperties[key];
        if (rule !== undefined) this.#report.say(path, key, showValue(value), rule);
      }
    }
    if (this.#hasDom0) {
      this.#report.diagnose(
        "DOMB1508",
        this.#place("/chosen"),
        "the set-up has a dom0, and the launch none",
        {
          fix: "Give what it did for others to a domain with `roles`, if any need it.",
        },
      );
    }
    this.#refuseUnusedMaterials();
    const launch = { board: this.#how.board, xsm: this.#xsm, domains: this.#domains };
    return this.#report.result(launch, { file: this.#how.file });
  }

  #place(path: string): Place {
    return { file: this.#how.file, path: [path] };
  }

  #chosen(node: DeviceTreeNode): void {
    const options = xenOptionsOf(node);
    this.#report.xenOptions = options === undefined ? undefined : withoutDom0(options);
    for (const [key, value] of node.properties) {
      const rule = own(chosenProperties, key);
      if (rule !== undefined) this.#report.say("/chosen", key, showValue(value), rule);
      else this.#report.sayUnknown("/chosen", key, showValue(value), this.#place("/chosen"));
    }
  }

  /** A node below /chosen that is no domain's. */
  #child({ path, node }: PlacedNode, cells: Cells): void {
    if (isCompatible(node, "xen,domain")) {
      this.#domain({ path, node }, cellsOf(node, cells));
    } else if (isModule(node)) {
      this.#hostModule({ path, node }, cells);
    } else if (otherKind(node) !== undefined) {
      this.#dropNode({ path, node }, otherKind(node));
    } else {
      const rule: KeyRule = { treatment: "kept", because: "stays in the board's tree" };
      this.#report.say(path, "(node)", summaryOf(node), rule);
      const below = cellsOf(node, cells);
      for (const child of node.children) {
        this.#child({ path: `${path}/${child.name}`, node: child }, below);
      }
    }
  }

  /** A node of this kind that has no place in a launch, with all that is in it. */
  #dropNode({ path, node }: PlacedNode, kind: string | undefined): void {
    const rule = kind === undefined ? undefined : own(nodeKinds, kind);
    if (rule !== undefined) this.#report.say(path, "(node)", summaryOf(node), rule);
    else this.#report.sayUnknown(path, "(node)", summaryOf(node), this.#place(path));
  }

  /** A module that is no domain's: dom0's, or the policy. */
  #hostModule({ path, node }: PlacedNode, cells: Cells): void {
    if (kindOf(node) === "xen,xsm-policy") {
      this.#xsm = this.#file({ path, node }, cells, ["policy", "xsm"], "FLASK policy");
      this.#module({ path, node }, `policy.xsm: ${this.#xsm}`);
      return;
    }
    this.#hasDom0 ||= kindOf(node) !== "multiboot,ramdisk";
    const rule: KeyRule = { treatment: "dropped", because: "there is no dom0" };
    this.#report.say(path, "(node)", summaryOf(node), rule);
  }

  #domain({ path, node }: PlacedNode, cells: Cells): void {
    const name = this.#report.domainName(path, node.name, this.#domains);
    const memory = this.#number(path, node, "memory", 2);
    const vcpus = this.#number(path, node, "cpus", 1);
    const domid = node.properties.has("domid") ? this.#number(path, node, "domid", 1) : undefined;
    const capabilities = node.properties.has("capabilities")
      ? this.#number(path, node, "capabilities", 1)
      : undefined;
    const roles =
      capabilities === undefined ? undefined : rolesOfCapabilities(Number(capabilities));
    this.#properties({ path, node }, domainProperties, { capabilities: roles?.rule });

    const files = new Map<ModuleKind, string>();
    let cmdline: string | undefined;
    for (const child of node.children) {
      const placed = { path: `${path}/${child.name}`, node: child };
      if (!isModule(child)) {
        this.#dropNode(placed, otherKind(child));
        continue;
      }
      const kind = kindOf(child);
      if (kind === "multiboot,device-tree") {
        this.#dropNode(placed, kind);
        continue;
      }
      if (kind === undefined || kind === "xen,xsm-policy" || files.has(kind)) {
        this.#unclearModule(placed, kind);
        continue;
      }
      const key = kind === "multiboot,kernel" ? "kernel" : "ramdisk";
      const file = this.#file(placed, cells, ["domains", name, key], `${key} of ${name}`);
      this.#module(placed, `${key}: ${file}`);
      files.set(kind, file);
      if (kind === "multiboot,kernel") cmdline = this.#text(placed, "bootargs");
    }

    const kernel = files.get("multiboot,kernel");
    if (kernel === undefined) {
      this.#report.diagnose("DOMB1506", this.#place(path), `domain ${path} has no kernel module`, {
        fix: 'Add a node with compatible = "multiboot,kernel", "multiboot,module".',
      });
    }
    if (kernel === undefined || memory === undefined || vcpus === undefined) return;
    this.#domains.set(name, {
      kernel,
      ramdisk: files.get("multiboot,ramdisk"),
      cmdline,
      memory: sizeOf(memory * 1024n),
      vcpus: Number(vcpus),
      domid: domid === undefined ? undefined : Number(domid),
      roles: roles === undefined || roles.roles.length === 0 ? undefined : roles.roles,
      output: node.properties.has("vpl011") ? "xen-log" : undefined,
    });
  }

  #unclearModule({ path, node }: PlacedNode, kind: ModuleKind | undefined): void {
    const found = kind === undefined ? "does not say what it is" : `is one ${kind} more`;
    this.#report.say(path, "(node)", summaryOf(node), { treatment: "dropped", because: found });
    this.#report.diagnose(
      "DOMB1501",
      this.#place(path),
      `module ${path} ${found}; wanted: one kernel, at most one ramdisk`,
      {
        fix: 'Begin its compatible with "multiboot,kernel" or "multiboot,ramdisk".',
      },
    );
  }

  /** Tells of a module's properties, and of the file that it became. */
  #module(placed: PlacedNode, file: string): void {
    const rule: KeyRule = { treatment: "changed", because: file };
    this.#properties(placed, moduleProperties, { reg: rule, "xen,uefi-binary": rule });
  }

  /** Tells of a node's properties by a table, save where `special` has another rule. */
  #properties(
    { path, node }: PlacedNode,
    table: KeyTable,
    special: Readonly<Record<string, KeyRule | undefined>>,
  ): void {
    for (const [key, value] of node.properties) {
      const rule = own(special, key) ?? own(table, key);
      if (rule !== undefined) this.#report.say(path, key, showValue(value), rule);
      else this.#report.sayUnknown(path, key, showValue(value), this.#place(path));
    }
  }

  /** A property that is one number; undefined, and told, where it is not. */
  #number(path: string, node: DeviceTreeNode, key: string, width: number): bigint | undefined {
    const value = node.properties.get(key);
    if (value === undefined) {
      this.#report.diagnose("DOMB1506", this.#place(path), `domain ${path} has no ${key}`, {
        fix: `Add the property ${key}.`,
      });
      return undefined;
    }
    const rows = readRows(value, [width]);
    if (rows?.length === 1) return rows[0]?.[0];
    this.#wrongValue(path, key, value, width === 1 ? "one cell" : `${width} cells`);
    return undefined;
  }

  /** A property that is one text, if it is there. */
  #text({ path, node }: PlacedNode, key: string): string | undefined {
    const value = node.properties.get(key);
    if (value === undefined) return undefined;
    const text = readText(value);
    if (text === undefined) this.#wrongValue(path, key, value, "one text in UTF-8");
    return text;
  }

  #wrongValue(path: string, key: string, value: Uint8Array | undefined, wanted: string): void {
    const found = value === undefined ? "missing" : showValue(value) || "empty";
    const message = `${key} of ${path} is ${found}; wanted: ${wanted}`;
    this.#report.diagnose("DOMB1501", this.#place(path), message, {
      fix: "Correct the device tree's source, and compile it again.",
    });
  }

  /** The file of a module, as the description names it. */
  #file(placed: PlacedNode, cells: Cells, keys: readonly string[], whatItIs: string): string {
    const { path, node } = placed;
    const reg = node.properties.get("reg");
    const address = reg === undefined ? undefined : readRows(reg, cells)?.[0]?.[0];
    const binary = this.#text(placed, "xen,uefi-binary");
    if (address === undefined && (reg !== undefined || binary === undefined)) {
      this.#wrongValue(path, "reg", reg, `${cells[0]} cells of address, ${cells[1]} of size`);
      return "";
    }
    if (address !== undefined) {
      this.#moduleAddresses.add(address);
      const named = this.#how.materials.get(address);
      if (named !== undefined) {
        this.#usedAddresses.add(address);
        return named;
      }
    }
    if (binary !== undefined || address === undefined) return `./${binary}`;
    const at = `0x${address.toString(16)}`;
    const placeholder = `./FILL-IN/file-at-${at}`;
    this.#report.unknownFiles.push({
      path: keys,
      placeholder,
      whatItIs: `${whatItIs}, loaded at ${at}`,
    });
    this.#report.diagnose(
      "DOMB1505",
      this.#place(path),
      `no file is named for the ${whatItIs}, which is loaded at ${at}`,
      {
        fix: `Give --material ${at}=FILE, or replace ${placeholder} in the description.`,
      },
    );
    return placeholder;
  }

  #refuseUnusedMaterials(): void {
    const all = [...this.#moduleAddresses].map((address) => `0x${address.toString(16)}`);
    for (const [address, file] of this.#how.materials) {
      if (this.#usedAddresses.has(address)) continue;
      const message = `${file} is named for address 0x${address.toString(16)}, where no module lies`;
      this.#report.diagnose("DOMB1507", { file: this.#how.file }, message, {
        fix: all.length === 0 ? "Leave it out." : `Addresses of modules are ${all.join(", ")}.`,
      });
    }
  }
}

/** The rule of a key, but nothing that every object has. */
function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function sizeOf(bytes: bigint): string {
  const number = Number(bytes);
  return Number.isSafeInteger(number) ? formatSize(number) : `${bytes / 1024n} KiB`;
}
