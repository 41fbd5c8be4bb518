// SPDX-License-Identifier: Apache-2.0
// Limits of a launch description that neither boot domain nor hypervisor know of. All others are
// in contract/limits.ts.

import { NAME_BYTES } from "../../contract/limits.js";

/** The version of the format, the value of the key `domb`. */
export const FORMAT_VERSION = 1;

/** Characters of a domain's name: what the boot domain's record of it holds beside a zero byte. */
export const MAX_NAME_LENGTH = NAME_BYTES - 1;

/** A domain's name: it stands in log lines and file names, and must not look like a number. */
export const DOMAIN_NAME_PATTERN = new RegExp(`^[A-Za-z][A-Za-z0-9._-]{0,${MAX_NAME_LENGTH - 1}}$`);

/** A FLASK label: user, role, type and perhaps a level, as policies name them. */
export const LABEL_PATTERN = /^[A-Za-z0-9_.]+(:[A-Za-z0-9_.,-]+){2,5}$/;

/** Bytes of a command line, its zero byte apart: Linux's COMMAND_LINE_SIZE on x86 is 2048. */
export const MAX_COMMAND_LINE_BYTES = 2047;
/** Bytes of a description's file: more is some other file, given by mistake. */
export const MAX_DESCRIPTION_BYTES = 1024 * 1024;

/** Levels of lists and mappings within each other; the deepest value that has a meaning has four. */
export const MAX_NESTING = 16;

/** The host's memory in bytes: more than any Xen manages. */
export const MAX_HOST_MEMORY_BYTES = 2 ** 47;

/** CPUs of the host: more than any Xen is built for. */
export const MAX_HOST_CPUS = 4095;

/** The highest number of a physical CPU that a plan can name. */
export const MAX_CPU = 63;

/** What Xen calls the CPU pool that it makes itself. */
export const FIRST_POOL = "Pool-0";

/** A domain's weight: what Xen's record of it holds; a cap has as many bits. */
export const MAX_WEIGHT = 65535;

/** How long a domain may take until it is ready, unless it says otherwise: milliseconds. */
export const DEFAULT_READY_MS = 60_000;

/** Memory of one link, bytes. */
export const MAX_LINK_BYTES = 64 * 2 ** 20;

/** Links of one domain. */
export const MAX_LINKS_OF_DOMAIN = 512;

/** What words of a command line begin with that a domain is told by domb. */
export const TOLD_PREFIX = "domb.";
