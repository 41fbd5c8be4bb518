// SPDX-License-Identifier: Apache-2.0
// `domb import` as a person or a script uses it: where it writes what, and how it refuses.

import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { decodeDeviceTree } from "../../compiler/device-tree/decode.js";
import { nodeAt } from "../../compiler/device-tree/device-tree.js";
import { paths } from "../../setup/paths.js";
import { domb } from "../run-domb.js";

let folder: string;
const here = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-import-"));
  const source = join(paths.checkout, "compiler", "importers", "two-domains.dts");
  execFileSync("dtc", ["-q", "-I", "dts", "-O", "dtb", "-o", here("host.dtb"), source]);
  await writeFile(
    here("config"),
    "DEVICE_TREE=boards/board.dtb\nNUM_DOMUS=1\nDOMU_KERNEL[0]=Image\nXEN_CMD='sched=null'\n",
  );
});
afterEach(() => rm(folder, { recursive: true }));

const materials = () => [
  ...["--material", `0x50000000=${here("Image")}`],
  ...["--material", `0x54000000=${here("initrd.gz")}`],
];

describe("domb import devicetree", () => {
  it("writes the description, and the board without its domains", async () => {
    const words = ["-o", here("launch.yaml"), "--board", here("board.dtb"), ...materials()];
    const { exitCode, stdout, stderr } = await domb(
      "import",
      "devicetree",
      here("host.dtb"),
      ...words,
    );
    expect(exitCode).toBe(0);
    expect(stdout).toBe(`${here("launch.yaml")} is written\n`);
    expect(stderr).toMatch(/\/chosen\/front +cpus +<0x1> +kept +vcpus\n/);
    expect(stderr).toContain("Xen was given, and needs still: console=dtuart loglvl=all\n");
    expect(stderr).toContain("warning DOMB1505: no file is named for the FLASK policy");

    const launch = parse(await readFile(here("launch.yaml"), "utf8"));
    expect(launch.host.board).toBe(here("board.dtb"));
    expect(launch.policy.xsm).toBe("./FILL-IN/file-at-0x4f000000");
    expect(launch.domains.front.kernel).toBe(here("Image"));
    const board = decodeDeviceTree(await readFile(here("board.dtb")), { place: {}, name: "board" });
    expect(board.ok && nodeAt(board.value.root, "/chosen/front")).toBeUndefined();
    expect(board.ok && nodeAt(board.value.root, "/soc/ethernet")).toBeDefined();
  });

  it("writes to standard output the description alone", async () => {
    const { exitCode, stdout } = await domb(
      "import",
      "devicetree",
      here("host.dtb"),
      ...materials(),
    );
    expect(exitCode).toBe(0);
    expect(parse(stdout).domains.front.memory).toBe("128 MiB");
  });

  it("prints one JSON document when asked for", async () => {
    const { stdout, stderr } = await domb("import", "devicetree", here("host.dtb"), "--json");
    expect(stderr).toBe("");
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      schema: "domb.import/1",
      ok: true,
      output: null,
      xenOptions: "console=dtuart loglvl=all",
      keys: expect.arrayContaining([
        expect.objectContaining({ where: "/chosen/front", key: "vpl011", treatment: "changed" }),
      ]),
    });
    expect(document.unknownFiles).toHaveLength(4);
    expect(Object.keys(parse(document.description).domains)).toHaveLength(2);
  });

  it("writes nothing when something is wrong", async () => {
    const wrong = ["--material", "0x1=Image", "-o", here("launch.yaml"), "--board", here("b.dtb")];
    const { exitCode, stdout, stderr } = await domb(
      "import",
      "devicetree",
      here("host.dtb"),
      ...wrong,
    );
    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("error DOMB1507");
    expect(stderr).toContain("0x50000000");
    expect((await readdir(folder)).sort()).toEqual(["config", "host.dtb"]);
  });

  it("refuses what is no device tree, and an option that is none", async () => {
    const text = await domb("import", "devicetree", here("config"), "--json");
    expect(text.exitCode).toBe(2);
    expect(JSON.parse(text.stdout)).toMatchObject({
      schema: "domb.import/1",
      ok: false,
      diagnostics: [{ code: "DOMB3101" }],
    });
    const option = await domb("import", "devicetree", here("host.dtb"), "--material", "Image");
    expect(option.exitCode).toBe(2);
    expect(option.stderr).toContain("0x50000000=./Image");
  });

  it("does not replace its own input", async () => {
    const words = ["--board", here("host.dtb"), ...materials()];
    const { exitCode, stderr } = await domb("import", "devicetree", here("host.dtb"), ...words);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("can't be written");
  });
});

describe("domb import imagebuilder", () => {
  it("writes the description, with the configuration's paths", async () => {
    const { exitCode, stderr } = await domb(
      ...["import", "imagebuilder", here("config"), "--directory", here("root")],
      ...["-o", here("launch.yaml")],
    );
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/line 3 +DOMU_KERNEL\[0\] +Image +kept +kernel\n/);
    const launch = parse(await readFile(here("launch.yaml"), "utf8"));
    expect(launch.host.board).toBe("./root/boards/board.dtb");
    expect(launch.domains.domU0).toMatchObject({ kernel: "./root/Image", output: "xen-log" });
  });

  it("takes paths as relative to the configuration when it is told no folder", async () => {
    const words = ["-o", here("launch.yaml")];
    await domb("import", "imagebuilder", here("config"), ...words);
    const launch = parse(await readFile(here("launch.yaml"), "utf8"));
    expect(launch.domains.domU0.kernel).toBe("./Image");
  });

  it("shows the place of what it does not run", async () => {
    await writeFile(here("config"), "NUM_DOMUS=1\nDOMU_KERNEL[0]=$(reboot)\n");
    const { exitCode, stderr } = await domb("import", "imagebuilder", here("config"));
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${here("config")}:2:16: error DOMB1503: here is a variable`);
  });
});
