// SPDX-License-Identifier: Apache-2.0
// What can stand in the way of a command, beside a fault of the description or the image: each with
// a code as the compiler's diagnostics have.

import { defineRules } from "../compiler/diagnostics/rules.js";

export const commandRules = defineRules({
  DOMB6001: {
    slug: "usage",
    title: "the command line is wrong",
    severity: "error",
    explanation: "A command, an option or its value is not one that domb has.",
    example: "domb boot launch.yaml --time-limit soon",
  },
  DOMB6002: {
    slug: "unreadable-input",
    title: "a file can't be read",
    severity: "error",
    explanation: "The file is missing, is not a plain file, or may not be read by this user.",
    example: "domb explain no-such-file",
  },
  DOMB6003: {
    slug: "unwritable-output",
    title: "a file can't be written",
    severity: "error",
    explanation:
      "The folder is missing or closed to this user, or the path holds something that a launch " +
      "image must not replace. What was there is still there.",
    example: "domb build launch.yaml -o launch.yaml",
  },
  DOMB6004: {
    slug: "environment",
    title: "the machine lacks something",
    severity: "error",
    explanation: "A program or a part that set-up makes is missing. `domb doctor` names them all.",
    example: "domb boot launch.yaml, without QEMU",
  },
  DOMB6005: {
    slug: "not-yet",
    title: "a command does not work yet",
    severity: "error",
    explanation: "The command's name is settled, so that scripts can count on it; the rest is not.",
    example: "domb measure launch.img",
  },
  DOMB6021: {
    slug: "unfit-for-media",
    title: "boot media can't be made of this",
    severity: "error",
    explanation:
      "A part is not what it has to be, Xen has an option that a boot loader's configuration can't " +
      "carry, or a key can't sign with the certificate that is given.",
    example: "domb media launch.img --efi -o esp --boot-domain launch.img",
  },
  DOMB6022: {
    slug: "program-failed",
    title: "a program that domb runs failed",
    severity: "error",
    explanation: "A program of this machine ran and ended with an error; its last words are shown.",
    example: "domb media launch.img --efi -o esp, with no room left in the temporary folder",
  },
  DOMB6031: {
    slug: "not-a-receipt",
    title: "a file is no launch receipt",
    severity: "error",
    explanation:
      "The file is not what `domb boot --receipt` and `domb simulate --receipt` write, or a value in " +
      "it is out of its bounds.",
    example: "domb report launch.img --receipt package.json",
  },
  DOMB6032: {
    slug: "receipt-of-another-launch",
    title: "the receipt is of another launch",
    severity: "error",
    explanation:
      "A receipt names the plan that ran by its digest, and the image has another plan. A report of " +
      "both together would be of nothing.",
    example: "domb report next.img --receipt receipt-of-launch.json",
  },
  DOMB6999: {
    slug: "own-fault",
    title: "a bug of domb's own",
    severity: "error",
    explanation: "domb met what its authors thought impossible. Set DOMB_DEBUG=1 to see where.",
    example: "none is known",
  },
});

export type CommandCode = Parameters<typeof commandRules.diagnose>[0];
