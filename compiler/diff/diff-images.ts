// SPDX-License-Identifier: Apache-2.0
// What changed from one image to another, for whom; privileges first. Where things lie in image and
// memory does not count.

import {
  type ExplainedDomain,
  type ExplainedMaterial,
  type Explanation,
  explanationOf,
} from "../explain/explanation.js";
import type { DecodedImage, DecodedPlan } from "../image/decode-image.js";
import { xenOf } from "../image/xen-versions.js";
import { type Privilege, privilegesOfLaunch } from "../privileges/privileges.js";

/** A value of the first image and of the second; null: there is none. */
export interface Change {
  readonly what: string;
  readonly from: string | null;
  readonly to: string | null;
}

export interface ChangedDomain {
  readonly name: string;
  readonly kind: "added" | "removed" | "changed";
  readonly changes: readonly Change[];
}

export interface ImageDiff {
  readonly privileges: {
    readonly gained: readonly Privilege[];
    readonly lost: readonly Privilege[];
  };
  /** Changes of the image as a whole. */
  readonly image: readonly Change[];
  readonly domains: readonly ChangedDomain[];
}

/** What a domain is, in the order in which it is told. */
type Facts = ReadonlyMap<string, string>;

/** One side of the comparison. */
interface Side {
  readonly privileges: readonly Privilege[];
  readonly image: Facts;
  readonly domains: ReadonlyMap<string, Facts>;
}

/** Compares two images. */
export function diffImages(from: DecodedImage, to: DecodedImage): ImageDiff {
  const [before, after] = [sideOf(from), sideOf(to)];
  const names = [...new Set([...before.domains.keys(), ...after.domains.keys()])];
  return {
    privileges: {
      gained: without(after.privileges, before.privileges),
      lost: without(before.privileges, after.privileges),
    },
    image: changesOf(before.image, after.image),
    domains: names.flatMap((name) => {
      const [old, now] = [before.domains.get(name), after.domains.get(name)];
      const changes = changesOf(old ?? new Map(), now ?? new Map());
      if (changes.length === 0) return [];
      const kind = old === undefined ? "added" : now === undefined ? "removed" : "changed";
      return [{ name, kind, changes }];
    }),
  };
}

function without(some: readonly Privilege[], others: readonly Privilege[]): readonly Privilege[] {
  const known = new Set(others.map((privilege) => JSON.stringify(privilege)));
  return some.filter((privilege) => !known.has(JSON.stringify(privilege)));
}

function changesOf(before: Facts, after: Facts): readonly Change[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((what) => {
    const [from = null, to = null] = [before.get(what), after.get(what)];
    return from === to ? [] : [{ what, from, to }];
  });
}

function sideOf(image: DecodedImage): Side {
  const main = explanationOf(image);
  const recovery = image.recovery && explanationOf(image.recovery);
  const explanations = [main, ...(recovery === undefined ? [] : [recovery])];
  const all = explanations.flatMap(({ domains }) => domains);
  const labels = all.flatMap(({ name, label }) => (label === "" ? [] : [[name, label] as const]));
  return {
    privileges: privilegesOfLaunch(
      all,
      new Map(labels),
      (name) => all.find((domain) => domain.name === name)?.links ?? [],
    ),
    image: imageFacts(image, explanations),
    domains: new Map(
      explanations.flatMap((explanation) =>
        explanation.domains.map((domain) => [
          domain.name,
          domainFacts(domain, explanation.materials, explanation === recovery),
        ]),
      ),
    ),
  };
}

function imageFacts(
  { header, signature, recovery }: DecodedImage,
  [main]: readonly Explanation[],
): Facts {
  const signed = (plan: DecodedPlan["signature"]) => (plan === undefined ? "no" : "yes");
  const policy = main?.image.policy;
  return new Map([
    ["launch version", String(header.launchVersion)],
    ["verify", header.verify],
    ["main plan signed", signed(signature)],
    ...(recovery === undefined
      ? []
      : ([["recovery plan signed", signed(recovery.signature)]] as const)),
    ["Xen", xenOf(header.xenInterface) ?? `domctl interface ${header.xenInterface}`],
    ["FLASK policy", policy?.digest ?? "any, or none"],
    ["roles that nobody gets", main?.image.droppedRoles.join(", ") ?? ""],
  ]);
}

function domainFacts(
  domain: ExplainedDomain,
  materials: readonly ExplainedMaterial[],
  recovery: boolean,
): Facts {
  const of = (kind: ExplainedMaterial["kind"]) =>
    materials
      .filter((material) => material.kind === kind && material.usedBy.includes(domain.name))
      .map(({ digest }) => digest)
      .join(", ") || "none";
  return new Map([
    ["roles", domain.roles.join(", ") || "none"],
    ["label", domain.label || "none"],
    ["plan", recovery ? "recovery" : "main"],
    ["output", domain.output],
    ["onDeath", domain.onDeath],
    ["domid", String(domain.domid)],
    ["kernel", of("kernel")],
    ["ramdisk", of("ramdisk")],
    ["cmdline", domain.cmdline ?? "none"],
    ["memory", `${domain.memoryBytes} bytes`],
    ["vcpus", String(domain.vcpus)],
    ["vCPU context", of("vcpuContext")],
    ["event channel ports", String(domain.maxEventChannelPort)],
    ["grant frames", String(domain.maxGrantFrames)],
    ["maptrack frames", String(domain.maxMaptrackFrames)],
    ["create flags", `0x${domain.createFlags.toString(16)}`],
    ["devices", `0x${domain.devices.toString(16)}`],
    ["shared interrupts", String(domain.sharedInterrupts)],
  ]);
}
