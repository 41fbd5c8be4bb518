// SPDX-License-Identifier: Apache-2.0
// What can be wrong with an update of an image.

import { defineRules } from "../diagnostics/rules.js";

export const updateRules = defineRules({
  DOMB5201: {
    slug: "image-made-otherwise",
    title: "an image was made by another compiler",
    severity: "error",
    explanation:
      "Before anything of an image is changed it is taken apart and put together again: only if that gives the same bytes is it certain that all else stays as it is.",
    example: "an image of another version of domb, or one that was changed by hand",
  },
  DOMB5202: {
    slug: "no-such-domain",
    title: "an image has no such domain",
    severity: "error",
    explanation: "A domain of an image is named as its description named it.",
    example: "domb update launch.img --domain wbe --kernel vmlinuz",
  },
});
