// SPDX-License-Identifier: Apache-2.0
// What can be wrong with an image that is read back.

import { defineRules } from "../diagnostics/rules.js";

export const imageRules = defineRules({
  DOMB5001: {
    slug: "image-cut-short",
    title: "an image is cut short",
    severity: "error",
    explanation: "The file has fewer bytes than an image's header has, or than the header says.",
    example: "an image that was copied to a full disk",
  },
  DOMB5002: {
    slug: "image-header",
    title: "an image's header is wrong",
    severity: "error",
    explanation:
      "The header says what the file is and where the plan lies. A wrong magic number means that " +
      "the file is no launch image; a wrong version, that another version of domb made it.",
    example: "domb explain vmlinuz",
  },
  DOMB5003: {
    slug: "image-plan-digest",
    title: "an image's plan is damaged",
    severity: "error",
    explanation: "The SHA-256 digest of the plan is not the one that the header has.",
    example: "an image with a bit of its plan flipped",
  },
  DOMB5004: {
    slug: "image-plan",
    title: "an image's plan is malformed",
    severity: "error",
    explanation: "A record of the plan has a value that no plan of domb's compiler has.",
    example: "an operation of an unknown kind",
  },
  DOMB5005: {
    slug: "image-material-digest",
    title: "a material of an image is damaged",
    severity: "error",
    explanation: "The SHA-256 digest of a material is not the one that the plan has.",
    example: "an image with a bit of a kernel flipped",
  },
});
