// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a launch description: DOMB1xxx with its text and its single values,
// DOMB2xxx with values that don't go together. Codes are stable: never renumber, never reuse.

import {
  LABEL_BYTES,
  MAX_DOMAINS,
  MAX_DOMID,
  MAX_MEMORY_PAGES,
  PAGE_SIZE,
} from "../../contract/limits.js";
import { defineRules } from "../diagnostics/rules.js";
import {
  MAX_COMMAND_LINE_BYTES,
  MAX_DESCRIPTION_BYTES,
  MAX_LINK_BYTES,
  MAX_NAME_LENGTH,
  MAX_NESTING,
} from "./limits.js";
import { linkRules, linkValueRules } from "./link-rules.js";
import { orderRules, orderValueRules } from "./order-rules.js";
import { processorRules, processorValueRules } from "./processor-rules.js";
import { formatSize } from "./size.js";

const page = formatSize(PAGE_SIZE);
const maxMemory = formatSize(MAX_MEMORY_PAGES * PAGE_SIZE);

export const descriptionRules = defineRules({
  DOMB1001: {
    slug: "unreadable-file",
    title: "The description can't be read",
    severity: "error",
    explanation: "The file is not there, is a directory, or may not be read by this user.",
    example: "domb check missing.yaml",
  },
  DOMB1002: {
    slug: "not-text",
    title: "The description is not UTF-8 text",
    severity: "error",
    explanation: `A description is UTF-8 text of at most ${formatSize(MAX_DESCRIPTION_BYTES)}; a kernel, a ramdisk or an image is none.`,
    example: "domb check vmlinuz",
  },
  DOMB1003: {
    slug: "yaml-syntax",
    title: "The description is not YAML",
    severity: "error",
    explanation:
      "The file breaks the grammar of YAML 1.2, so that what it says is not certain; nothing else of it is checked.",
    example: "domains: {web: {memory: 64 MiB}",
  },
  DOMB1004: {
    slug: "yaml-alias",
    title: "A YAML alias has no value",
    severity: "error",
    explanation:
      "An alias (`*name`) stands for the value that an anchor (`&name`) before it marks; it can't stand for a value that it is part of.",
    example: "web: *common",
  },
  DOMB1005: {
    slug: "yaml-merge-key",
    title: "YAML 1.2 has no merge keys",
    severity: "error",
    explanation:
      "The key `<<` merged mappings in YAML 1.1. Anchors and aliases for whole values work; defineLaunch() in TypeScript can share parts of values.",
    example: "web: { <<: *common, memory: 64 MiB }",
  },
  DOMB1006: {
    slug: "key-not-text",
    title: "A key is not text",
    severity: "error",
    explanation:
      "Keys are names. YAML reads `5`, `true` and `null` without quotes as something else.",
    example: "domains: { 5: { memory: 64 MiB } }",
  },
  DOMB1007: {
    slug: "nesting-too-deep",
    title: "Values are nested too deeply",
    severity: "error",
    explanation: `Lists and mappings within each other have at most ${MAX_NESTING} levels; a description needs four.`,
    example: "domains: [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]",
  },
  DOMB1008: {
    slug: "duplicate-key",
    title: "A key is given twice",
    severity: "error",
    explanation: "One of two values would be ignored, and which one is not certain.",
    example: "{ memory: 64 MiB, memory: 128 MiB }",
  },
  DOMB1009: {
    slug: "module-fails",
    title: "The description's module fails",
    severity: "error",
    explanation:
      "A description in TypeScript or JavaScript is a module that is run; this one does not compile, or throws.",
    example: 'throw new Error("no kernel chosen");',
  },
  DOMB1010: {
    slug: "module-without-launch",
    title: "The module exports no launch",
    severity: "error",
    explanation: "The launch description is the module's default export.",
    example: "export const launch = defineLaunch({ … });",
  },
  DOMB1011: {
    slug: "unknown-key",
    title: "A key is unknown",
    severity: "error",
    explanation: "No key is ignored: what a description says, the launch does.",
    example: "memroy: 64 MiB",
  },
  DOMB1012: {
    slug: "key-not-yet",
    title: "A key does not work yet",
    severity: "error",
    explanation:
      "The key has a meaning in the design of domb, but this version does not act on it, and refuses rather than ignores it.",
    example: "clones: 100",
  },
  DOMB1013: {
    slug: "missing-key",
    title: "A key is missing",
    severity: "error",
    explanation: "The key has no default.",
    example: "domains: { web: { kernel: vmlinuz } }",
  },
  DOMB1014: {
    slug: "wrong-type",
    title: "A value has the wrong type",
    severity: "error",
    explanation:
      "Where text is wanted a number, a list or nothing was given, or the like. YAML reads `5`, `true` and `null` as text only in quotes.",
    example: "cmdline: 5",
  },
  DOMB1015: {
    slug: "value-not-yet",
    title: "A value does not work yet",
    severity: "error",
    explanation:
      "The value has a meaning in the design of domb, but this version can't act on it, and refuses it.",
    example: "type: pv",
  },
  DOMB1016: {
    slug: "unknown-value",
    title: "A value is none of the possible ones",
    severity: "error",
    explanation: "The key has a fixed set of values.",
    example: "output: console",
  },
  DOMB1017: {
    slug: "unknown-version",
    title: "The format's version is unknown",
    severity: "error",
    explanation: "The key `domb` is the version of the description's format.",
    example: "domb: 2",
  },
  DOMB1018: {
    slug: "number-out-of-range",
    title: "A number is out of its range",
    severity: "error",
    explanation: `Each number has a least and a greatest value; a domid is at most ${MAX_DOMID}, since those above are Xen's and the boot domain's.`,
    example: "domid: 40000",
  },
  DOMB1019: {
    slug: "not-whole",
    title: "A number is not whole",
    severity: "error",
    explanation: "Domids and virtual CPUs are counted in whole numbers.",
    example: "domid: 1.5",
  },
  DOMB1020: {
    slug: "size-without-unit",
    title: "A size has no unit",
    severity: "error",
    explanation:
      "A number alone could be bytes, pages, KiB or MiB; other tools differ. Each size names its unit.",
    example: "memory: 256",
  },
  DOMB1021: {
    slug: "size-in-other-unit",
    title: "A size has another unit",
    severity: "error",
    explanation:
      "MB is a million bytes to some and 1024 × 1024 to others. Units are KiB, MiB, GiB and TiB, each 1024 of the one before.",
    example: "memory: 256 MB",
  },
  DOMB1022: {
    slug: "size-malformed",
    title: "A size can't be read",
    severity: "error",
    explanation:
      "A size is a whole decimal number without sign, fraction, exponent or leading zero, and a unit.",
    example: "memory: -1 GiB",
  },
  DOMB1023: {
    slug: "size-not-whole-pages",
    title: "A size is not a whole number of pages",
    severity: "error",
    explanation: `Xen gives memory in pages of ${page}.`,
    example: "memory: 1 KiB",
  },
  DOMB1024: {
    slug: "size-out-of-range",
    title: "A size is out of its range",
    severity: "error",
    explanation: `A domain has from ${page} to ${maxMemory} of memory, a link at most ${formatSize(MAX_LINK_BYTES)}. What a kernel needs at least is checked when it has been read.`,
    example: "memory: 10 TiB",
  },
  DOMB1025: {
    slug: "command-line-too-long",
    title: "A command line is too long",
    severity: "error",
    explanation: `A command line has at most ${MAX_COMMAND_LINE_BYTES} bytes of UTF-8: Linux on x86 keeps no more, and would cut off the rest.`,
    example: `cmdline: a line of ${MAX_COMMAND_LINE_BYTES + 1} letters`,
  },
  DOMB1026: {
    slug: "control-character",
    title: "Text holds a control character",
    severity: "error",
    explanation:
      "Command lines and file names are one line of characters that can be printed; a zero byte would end them early.",
    example: "cmdline: |\n  quiet",
  },
  DOMB1027: {
    slug: "empty-file-name",
    title: "A file name is empty",
    severity: "error",
    explanation: "A domain without ramdisk lacks the key.",
    example: 'ramdisk: ""',
  },
  DOMB1028: {
    slug: "bad-domain-name",
    title: "A domain's name is not possible",
    severity: "error",
    explanation: `A name stands in log lines and file names: a letter first, then letters, digits, dots, hyphens and underscores, at most ${MAX_NAME_LENGTH} in all.`,
    example: "domains: { my web server: { … } }",
  },
  DOMB1029: {
    slug: "no-domains",
    title: "There is no domain",
    severity: "error",
    explanation: "A launch starts at least one domain; nothing would be left on the host.",
    example: "domains: {}",
  },
  DOMB1030: {
    slug: "bad-label",
    title: "A label has not the form of one",
    severity: "error",
    explanation: `A FLASK label names a user, a role and a type, and in some policies a level, with colons between them; the boot domain's record of it holds ${LABEL_BYTES - 1} characters.`,
    example: "label: initial_t",
  },
  ...orderValueRules,
  ...linkValueRules,
  ...processorValueRules,
  DOMB2001: {
    slug: "two-domains-of-one-name",
    title: "Two domains have one name",
    severity: "error",
    explanation:
      "Each domain has a name of its own, by which messages, links and order refer to it.",
    example: "domains: { web: { … }, web: { … } }",
  },
  DOMB2002: {
    slug: "two-domains-of-one-domid",
    title: "Two domains have one domid",
    severity: "error",
    explanation: "Xen knows a domain by its domid alone. Domains without the key get free ones.",
    example: "domains: { web: { domid: 5, … }, storage: { domid: 5, … } }",
  },
  DOMB2003: {
    slug: "too-many-domains",
    title: "There are too many domains",
    severity: "error",
    explanation: `The boot domain's tables are fixed when it is built: a launch has at most ${MAX_DOMAINS} domains.`,
    example: "a description of 200 domains",
  },
  DOMB2004: {
    slug: "role-given-twice",
    title: "A role is given twice",
    severity: "error",
    explanation:
      "Xen lets the boot domain hand out each privilege once: there is one control domain, one xenstore domain, one reader of the console. The recovery domain, which runs instead of the others, may have a role of theirs.",
    example: "domains: { a: { roles: [control], … }, b: { roles: [control], … } }",
  },
  DOMB2005: {
    slug: "only-recovery",
    title: "There is only a recovery domain",
    severity: "error",
    explanation:
      "The recovery domain is started instead of all others, when their plan is refused or fails; a launch has at least one other.",
    example: "domains: { rescue: { roles: [recovery], … } }",
  },
  ...orderRules,
  ...linkRules,
  ...processorRules,
});

/** Codes of this stage. */
export type DescriptionCode = Parameters<typeof descriptionRules.diagnose>[0];
