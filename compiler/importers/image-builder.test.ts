// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readDescription } from "../description/load-description.js";
import { importImageBuilder } from "./image-builder.js";
import { domainKeys, hostKeys } from "./image-builder-keys.js";
import type { Import } from "./report.js";
import { readAssignments } from "./shell-assignments.js";

const configuration = String.raw`# Two domains beside dom0
MEMORY_START="0x0"
MEMORY_END="0x80000000"
LOAD_CMD='tftpb'
DEVICE_TREE="board.dtb"
XEN="xen"
XEN_CMD="console=dtuart dom0_mem=1G dom0_max_vcpus=1 sched=null"
DOM0_KERNEL="Image-dom0"

NUM_DOMUS=2   # both at boot
DOMU_KERNEL[0]="one/Image"
DOMU_RAMDISK[0]="one/initrd"
DOMU_CMD[0]="console=ttyAMA0 name=\"one two\" root="'/dev/ram0'
DOMU_COLORS[0]="6-14"
DOMU_STATIC_MEM[0]="0x50000000 0x10000000"
DOMU_PASSTHROUGH_PATHS[0]="/axi/ethernet@ff0e0000"
DOMU_KERNEL[1]="two/Image"
DOMU_MEM[1]=64
DOMU_MEM[1]=128
DOMU_VCPUS[1]=2
DOMU_VPL011[1]=0
DOMU_CAPS[1]="control,xenstore"
DOMU_KERNEL[2]="three/Image"
UBOOT_SOURCE="boot.source"
MY_OWN=1
`;

const importText = (text: string) =>
  importImageBuilder(Buffer.from(text), { file: "config", nameOf: (file) => `./root/${file}` });

function imported(text: string): Import {
  const result = importText(text);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.value;
}

/** What is said of a configuration, each with its line and column. */
function told(text: string): string[] {
  return importText(text).diagnostics.map(
    ({ code, place, message }) => `${place.line}:${place.column} ${code} ${message}`,
  );
}

describe("an ImageBuilder configuration", () => {
  it("becomes a launch description with its domains", () => {
    expect(parse(imported(configuration).description)).toEqual({
      domb: 1,
      arch: "arm64",
      host: { board: "./root/board.dtb" },
      domains: {
        domU0: {
          kernel: "./root/one/Image",
          ramdisk: "./root/one/initrd",
          cmdline: 'console=ttyAMA0 name="one two" root=/dev/ram0',
          memory: "512 MiB",
          vcpus: 1,
          output: "xen-log",
        },
        domU1: {
          kernel: "./root/two/Image",
          memory: "128 MiB",
          vcpus: 2,
          roles: ["control", "xenstore"],
        },
      },
    });
  });

  it("says of every assignment what became of it, and of ImageBuilder's defaults", () => {
    const { keys } = imported(configuration);
    const { assignments } = readAssignments(configuration, "config");
    for (const { place, value } of assignments) {
      const said = keys.filter(({ where }) => where === `line ${place.line}`);
      expect(said, `line ${place.line}`).toHaveLength(1);
      expect(said[0]?.value).toBe(value);
    }
    const treatmentOf = (name: string) => keys.find(({ key }) => key === name)?.because;
    expect(treatmentOf("DOMU_KERNEL[2]")).toContain("NUM_DOMUS is 2");
    expect(treatmentOf("DOMU_MEM[1]")).toContain("assigned again in line 19");
    expect(treatmentOf("DOMU_MEM[0]")).toContain("ImageBuilder's default");
    expect(treatmentOf("DOMU_VPL011[1]")).toBe("output: none, the default");
  });

  it("warns of dom0 and of a key that is unknown", () => {
    expect(told(configuration)).toEqual([
      "25:1 DOMB1502 MY_OWN of line 25 is unknown, and dropped",
      "8:1 DOMB1508 the set-up has a dom0, and the launch none",
    ]);
  });

  it("keeps Xen's options, without dom0's", () => {
    expect(imported(configuration).xenOptions).toBe("console=dtuart sched=null");
  });

  it("starts no domain that ImageBuilder leaves to dom0", () => {
    const { description, keys } = imported(
      "NUM_DOMUS=2\nDOMU_KERNEL[0]=a\nDOMU_KERNEL[1]=b\nDOMU_NOBOOT[1]=1\n",
    );
    expect(Object.keys(parse(description).domains)).toEqual(["domU0"]);
    expect(keys.filter(({ key }) => key.endsWith("[1]"))).toMatchObject([
      { treatment: "dropped" },
      { treatment: "dropped" },
    ]);
  });

  it("has a key of domains without number for the first, as a shell has", () => {
    const { description } = imported("NUM_DOMUS=1\nDOMU_KERNEL=a\nDOMU_MEM[00]=64\n");
    expect(parse(description).domains.domU0).toMatchObject({
      kernel: "./root/a",
      memory: "64 MiB",
    });
  });
});

describe("what is wrong with a configuration", () => {
  const one = (line: string) => `NUM_DOMUS=1\nDOMU_KERNEL[0]=a\n${line}\n`;
  it.each<[wrong: string, text: string]>([
    ["3:14 DOMB1503 here is a variable or a command", one('DOMU_CMD[0]="$HOME"')],
    ["3:16 DOMB1503 here is a command, which a shell would run", one('DOMU_CMD[0]="a `id`"')],
    ["3:13 DOMB1503 here is a list", one("DOMU_CMD[0]=(a b)")],
    ["3:14 DOMB1503 here is the end of a command", one("DOMU_CMD[0]=a;reboot")],
    ["3:13 DOMB1503 here is a backslash outside of quotes", one("DOMU_CMD[0]=\\a")],
    ["3:13 DOMB1503 here is the short name of a folder", one("DOMU_CMD[0]=~/a")],
    ["3:15 DOMB1503 a second word follows the value", one("DOMU_CMD[0]=a reboot")],
    ["3:13 DOMB1503 here is a double quote that is not closed", one('DOMU_CMD[0]="a')],
    ["3:13 DOMB1503 here is a single quote that is not closed", one("DOMU_CMD[0]='a")],
    ["3:1 DOMB1503 no assignment stands here", one("source other")],
    ["3:1 DOMB1503 no assignment stands here", one("DOMU_CMD[i]=a")],
    ["3:1 DOMB1503 no assignment stands here", one("DOMU_CMD[0]+=a")],
    ["4:2 DOMB1503 here is a variable", one('DOMU_CMD[0]="a\nb$c"')],
    ['3:1 DOMB1501 DOMU_MEM[0] is "1G"; wanted: a whole decimal number', one("DOMU_MEM[0]=1G")],
    ['3:1 DOMB1501 DOMU_CAPS[0] is "all"; wanted: control', one("DOMU_CAPS[0]=all")],
    ["DOMB1501 NUM_DOMUS is missing", "DOMU_KERNEL[0]=a\n"],
    ["1:1 DOMB1501 NUM_DOMUS is 1000; wanted: at most 128", "NUM_DOMUS=1000"],
    ["1:1 DOMB1506 domain 0 has no kernel", "NUM_DOMUS=1"],
    ["DOMB1504 the set-up starts no domain", "NUM_DOMUS=0"],
    ["DOMB1026 cmdline of domain domU0", one("DOMU_CMD[0]='a\nb'")],
    ["DOMB1018 vcpus of domain domU0 is 0", one("DOMU_VCPUS[0]=0")],
    ["DOMB1024 memory of domain domU0", one("DOMU_MEM[0]=0")],
  ])("is told: %s", (wrong, text) => {
    expect(told(text).join("\n")).toContain(wrong);
    expect(importText(text).ok).toBe(false);
  });

  it("is told of all lines together", () => {
    const places = told("A=$B\nC=1\nD=(\nE='\n").map((text) => text.split(" ")[0]);
    expect(places).toEqual(["1:3", "3:3", "4:3"]);
  });

  it("is told of what is no text", () => {
    const result = importImageBuilder(Buffer.from([0xff]), { file: "config", nameOf: String });
    expect(result.diagnostics).toMatchObject([{ code: "DOMB1503" }]);
  });
});

describe("the importer of configurations", () => {
  it("throws at no text, and gives only descriptions of the right form", () => {
    const key = fc
      .tuple(
        fc.constantFrom(...Object.keys(hostKeys), ...Object.keys(domainKeys), "OTHER", "__proto__"),
        fc.constantFrom("", "[0]", "[1]", "[0,1]", "[x]"),
      )
      .map(([name, index]) => `${name}${index}`);
    const value = fc.oneof(
      fc.constantFrom("1", "128", '"a b"', "'c'", '"$d"', "", "control", "Image", '"\\"q"'),
      fc.string({ maxLength: 8 }),
    );
    const line = fc.tuple(key, value).map(([name, text]) => `${name}=${text}`);
    const lines = fc
      .array(line, { maxLength: 12 })
      .map((some) => ["NUM_DOMUS=1", "DOMU_KERNEL[0]=Image", ...some].join("\n"));
    const isSound = (bytes: Uint8Array): boolean => {
      const result = importImageBuilder(bytes, { file: "config", nameOf: (file) => `./${file}` });
      if (!result.ok) return result.diagnostics.some(({ severity }) => severity === "error");
      const faults = readDescription(result.value.description, "launch.yaml").diagnostics;
      return faults.every(({ code }) => ["DOMB1012", "DOMB1015"].includes(code));
    };
    fc.assert(
      fc.property(lines, (text) => isSound(Buffer.from(text))),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => isSound(Buffer.from(text))));
    fc.assert(fc.property(fc.uint8Array(), isSound));
  });
});

describe("an assignment of a shell", () => {
  it("has the value that the shell would give it", () => {
    const text = fc.string({ unit: "grapheme" }).filter((value) => !value.includes("\0"));
    const single = text.map((value) => [`'${value.replaceAll("'", `'"'"'`)}'`, value] as const);
    const double = text.map(
      (value) => [`"${value.replaceAll(/[\\"$`]/g, "\\$&")}"`, value] as const,
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(single, double), { maxLength: 4 }), (parts) => {
        const source = `A=${parts.map(([written]) => written).join("")} # comment\nB=2`;
        const { assignments, diagnostics } = readAssignments(source, "config");
        expect(diagnostics).toEqual([]);
        expect(assignments.map(({ value }) => value)).toEqual([
          parts.map(([, value]) => value).join(""),
          "2",
        ]);
      }),
    );
  });
});
