// SPDX-License-Identifier: Apache-2.0
// What can be wrong with another system's set-up that is to become a launch description.

import { defineRules } from "../diagnostics/rules.js";

export const importRules = defineRules({
  DOMB1501: {
    slug: "import-value",
    title: "A value of the imported set-up can't be read",
    severity: "error",
    explanation:
      "A value has not the form that Xen or ImageBuilder give it, so that what it means is not certain.",
    example: "memory = <0x20000>, which is one cell where Xen reads two",
  },
  DOMB1502: {
    slug: "import-unknown-key",
    title: "A key of the imported set-up is unknown",
    severity: "warning",
    explanation:
      "The launch description lacks it. Whether the launch is right without is for you to say.",
    example: "a property `colour` of a domain's node",
  },
  DOMB1503: {
    slug: "import-assignment",
    title: "A line of an ImageBuilder configuration is no plain assignment",
    severity: "error",
    explanation:
      "ImageBuilder's configuration is a fragment of shell that ImageBuilder runs. domb runs nothing: it reads assignments of plain text, one a line, and comments.",
    example: 'DOMU_KERNEL[0]="$HOME/Image"',
  },
  DOMB1504: {
    slug: "import-no-domains",
    title: "The imported set-up starts no domain",
    severity: "error",
    explanation: "A launch has at least one domain, and dom0 is not taken over.",
    example: "domb import devicetree board.dtb, with a board that is hardware alone",
  },
  DOMB1505: {
    slug: "import-file-unknown",
    title: "A module of a device tree has an address, but no file",
    severity: "warning",
    explanation:
      "A boot loader puts modules at the addresses of the device tree; which files it reads is nowhere in it. The description names a file that is not there, so that `domb check` refuses it until the file is filled in.",
    example: "reg = <0x0 0x50000000 0x0 0x1000000>, without --material 0x50000000=./Image",
  },
  DOMB1506: {
    slug: "import-key-missing",
    title: "A domain of the imported set-up lacks something",
    severity: "error",
    explanation: "Xen does not start a domain without memory, virtual CPUs or a kernel.",
    example: 'a node with compatible = "xen,domain" and without memory',
  },
  DOMB1507: {
    slug: "import-material-unused",
    title: "A file is named for an address at which no module lies",
    severity: "error",
    explanation: "Each --material is for the address of a module of a domain, or of the policy.",
    example: "--material 0x50000001=./Image",
  },
  DOMB1508: {
    slug: "import-dom0",
    title: "The imported set-up has a dom0",
    severity: "warning",
    explanation:
      "domb starts no dom0, and no domain that has the hardware. What dom0 did for the other domains is not done by anybody, unless one of them does it.",
    example: "DOM0_KERNEL=Image",
  },
});
