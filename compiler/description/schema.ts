// SPDX-License-Identifier: Apache-2.0
// The launch description, defined once: the types of defineLaunch(), the published JSON Schema and
// the reading of launch.yaml come from here. What a wrong value is told comes from judges.ts;
// rules between values are in between-domains.ts.

import { z } from "zod";
import {
  LABEL_BYTES,
  MAX_DOMAINS,
  MAX_DOMID,
  MAX_READY_WITHIN,
  MAX_VCPUS,
} from "../../contract/limits.js";
import { architectures } from "../../xen-model/machines.js";
import { RECOVERY_ROLE, roles } from "../plan/roles.js";
import { DURATION_PATTERN, formatDuration } from "./duration.js";
import { judged } from "./judged.js";
import {
  choiceFault,
  commandLineFault,
  domidFault,
  fileFault,
  formatFault,
  hostFault,
  hostMemoryFault,
  labelFormFault,
  memoryFault,
  policyFault,
  roleFault,
  rolesFault,
  typeFault,
  vcpusFault,
} from "./judges.js";
import {
  DEFAULT_READY_MS,
  DOMAIN_NAME_PATTERN,
  FORMAT_VERSION,
  LABEL_PATTERN,
  MAX_COMMAND_LINE_BYTES,
  MAX_LINK_BYTES,
} from "./limits.js";
import {
  betweenFault,
  linkFault,
  linkNameFault,
  linkSizeFault,
  linksFault,
  writersFault,
} from "./link-judges.js";
import {
  failures,
  nameFault,
  namesFault,
  readinesses,
  readyFault,
  whenFault,
  withinFault,
} from "./order-judges.js";
import { hostCpusSchema, poolsSchema, processorShape } from "./processor-schema.js";
import { formatSize, SIZE_PATTERN } from "./size.js";

export const outputs = ["none", "xen-log"] as const;
export const deaths = ["leave", "reboot"] as const;
export const verifications = ["all", "none"] as const;

const file = (key: string, description: string, example: string) =>
  judged(
    z
      .string()
      .min(1)
      .meta({ description, examples: [example] }),
    fileFault(key),
  );

export const readySchema = z
  .strictObject({
    when: judged(
      z.enum(readinesses).meta({
        description:
          "`started`: at once; `signalled`: it tells the boot domain by the event channel that " +
          "`domb.ready` in its command line names; `finished`: it has told so, and has then powered off.",
      }),
      whenFault,
    ),
    within: judged(
      z
        .string()
        .regex(DURATION_PATTERN)
        .meta({
          description:
            "How long that may take from its start: a whole number and ms, s or min, at most " +
            `${formatDuration(MAX_READY_WITHIN)}; by default ${formatDuration(DEFAULT_READY_MS)}.`,
          examples: ["5 s"],
        }),
      withinFault,
    ).optional(),
  })
  .meta({ description: "What lets the domains start that are to start after it." });

const domainName = judged(z.string(), nameFault);

export const domainSchema = z
  .strictObject({
    kernel: file(
      "kernel",
      "The kernel: a bzImage, an arm64 Image (plain or gzip), or an ELF file, for x86-64 with a PVH " +
        "note; relative to the description's file.",
      "./vmlinuz",
    ),
    cmdline: judged(
      z
        .string()
        .max(MAX_COMMAND_LINE_BYTES)
        .meta({
          description: `The kernel's command line, at most ${MAX_COMMAND_LINE_BYTES} bytes.`,
          examples: ["quiet"],
        }),
      commandLineFault,
    ).default(""),
    ramdisk: file(
      "ramdisk",
      "The initial ramdisk; relative to the description's file.",
      "./initrd.gz",
    ).optional(),
    memory: judged(
      z
        .string()
        .regex(SIZE_PATTERN)
        .meta({
          description: "The domain's memory: a whole number and KiB, MiB, GiB or TiB.",
          examples: ["256 MiB"],
        }),
      memoryFault,
    ),
    vcpus: judged(
      z.int().min(1).max(MAX_VCPUS).meta({
        description:
          "How many virtual CPUs it has: up to 128, but 8 on an arm64 board with a GICv2.",
      }),
      vcpusFault,
    ).default(1),
    ...processorShape,
    type: judged(
      z.literal("pvh").meta({ description: "How it is virtualised." }),
      typeFault,
    ).default("pvh"),
    domid: judged(
      z.int().min(0).max(MAX_DOMID).meta({
        description: "The domid that it gets; by default the lowest that is free, from 1 on.",
      }),
      domidFault,
    ).optional(),
    roles: judged(
      z.array(judged(z.enum([...roles, RECOVERY_ROLE]), roleFault)).meta({
        description:
          "What it may do to the system: `control` makes it the control domain, `xenstore` the " +
          "xenstore domain, `console` lets it read what is typed at Xen's console. `recovery` makes " +
          "it the only domain of the recovery plan, which runs when the others' plan is refused, or " +
          "fails and says so. Each role is one domain's of each plan; `hardware` does not work yet.",
        examples: [["control"]],
      }),
      rolesFault,
    ).default([]),
    label: judged(
      z
        .string()
        .max(LABEL_BYTES - 1)
        .regex(LABEL_PATTERN)
        .meta({
          description:
            "Its FLASK label. Without one it gets the default of domb's policy, if the launch has " +
            "a policy, else none.",
          examples: ["system_u:system_r:initial_t"],
        }),
      labelFormFault,
    ).optional(),
    onDeath: judged(
      z.enum(deaths).meta({
        description:
          "What follows when it shuts down or crashes: it stays as it is, for a control domain " +
          "to find, or the host reboots.",
      }),
      choiceFault(deaths),
    ).default("leave"),
    output: judged(
      z.enum(outputs).meta({
        description: "May it write to Xen's log: a right given at its creation.",
      }),
      choiceFault(outputs),
    ).default("none"),
    after: judged(
      z.array(domainName).meta({
        description:
          "The domains that must be ready before it starts; without them it starts at once.",
        uniqueItems: true,
        examples: [["storage"]],
      }),
      namesFault("after"),
    ).default([]),
    ready: judged(readySchema, readyFault).default({ when: "started" }),
    onFailure: judged(
      z.enum(failures).meta({
        description:
          "What follows when it can't be made, ends before it is ready, or is not ready in time: " +
          "the launch is given up, goes on without it and those that are to start after it, or the " +
          "recovery domain is started in place of all.",
      }),
      choiceFault(failures),
    ).default("abort"),
  })
  .meta({ description: "One Initial Domain." });

const linkName = judged(
  z
    .string()
    .regex(DOMAIN_NAME_PATTERN)
    .meta({
      description: "Its name, by which its domains know it.",
      examples: ["bell"],
    }),
  linkNameFault,
);

/** Each kind of link. */
export const linkSchemas = {
  "event-channel": z
    .strictObject({
      kind: z.literal("event-channel"),
      name: linkName,
      between: judged(
        z.tuple([domainName, domainName]).meta({
          description: "Its two domains: the first one opens it, the other one binds to it.",
          examples: [["storage", "web"]],
        }),
        betweenFault,
      ),
    })
    .meta({ description: "An event channel between two domains." }),
  "shared-memory": z
    .strictObject({
      kind: z.literal("shared-memory"),
      name: linkName,
      size: judged(
        z
          .string()
          .regex(SIZE_PATTERN)
          .meta({
            description: `Its size: a whole number and a unit, whole pages, at most ${formatSize(MAX_LINK_BYTES)}.`,
            examples: ["64 KiB"],
          }),
        linkSizeFault,
      ),
      writers: judged(
        z
          .array(domainName)
          .min(1)
          .meta({
            description: "The domains that may write it: it is memory of the first one.",
            uniqueItems: true,
            examples: [["storage"]],
          }),
        writersFault,
      ),
      readers: judged(
        z.array(domainName).meta({
          description: "The domains that may read it, and not write.",
          uniqueItems: true,
          examples: [["web"]],
        }),
        namesFault("readers"),
      ).default([]),
    })
    .meta({ description: "Memory of one domain that others map." }),
} as const;

const linkSchema = judged(
  z.discriminatedUnion("kind", [linkSchemas["event-channel"], linkSchemas["shared-memory"]]),
  linkFault,
);

export const policySchema = z
  .strictObject({
    xsm: file(
      "xsm",
      "The binary FLASK policy that Xen must enforce; relative to the description's file.",
      "./xenpolicy",
    ).optional(),
    verify: judged(
      z.enum(verifications).meta({
        description:
          "Must the launch be signed: `all` of it, or `none`. By default all, when it is built " +
          "with a key; else none.",
      }),
      choiceFault(verifications),
    ).optional(),
  })
  .meta({ description: "The security policy." });

export const hostSchema = z
  .strictObject({
    memory: judged(
      z
        .string()
        .regex(SIZE_PATTERN)
        .meta({
          description:
            "How much memory the host has: a launch that takes more is refused. With a board too " +
            "the smaller counts.",
          examples: ["2 GiB"],
        }),
      hostMemoryFault,
    ).optional(),
    cpus: hostCpusSchema,
    board: file(
      "board",
      "The board's device tree, arm64 only: which interrupt controller the domains get, and how " +
        "much memory there is; relative to the description's file. Default: a GICv3.",
      "./board.dtb",
    ).optional(),
  })
  .meta({ description: "What the compiler may assume of the host, and checks." });

export const launchSchema = z
  .strictObject({
    domb: judged(
      z.literal(FORMAT_VERSION).meta({ description: "The version of this format." }),
      formatFault,
    ),
    arch: judged(
      z.enum(architectures as readonly ["x86_64", "arm64"]).meta({
        description: "The architecture of host and domains; by default that of the first kernel.",
      }),
      choiceFault(architectures),
    ).optional(),
    host: judged(hostSchema, hostFault).optional(),
    pools: poolsSchema,
    policy: judged(policySchema, policyFault).optional(),
    // Names are judged with the rules between domains: zod would skip the rest of a misnamed one.
    domains: z.record(z.string().meta({ pattern: DOMAIN_NAME_PATTERN.source }), domainSchema).meta({
      description: "The Initial Domains by name, in the order in which they are made.",
      minProperties: 1,
      maxProperties: MAX_DOMAINS,
    }),
    links: judged(
      z.array(linkSchema).meta({ description: "The static wiring between domains." }),
      linksFault,
    ).default([]),
  })
  .meta({ title: "domb launch description" });

/** What a person writes: defaults may be left out. */
export type LaunchInput = z.input<typeof launchSchema>;
export type DomainInput = z.input<typeof domainSchema>;

/** The same with its defaults filled in. */
export type ParsedLaunch = z.output<typeof launchSchema>;
