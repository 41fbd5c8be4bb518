// SPDX-License-Identifier: Apache-2.0
// Rules on the domains together: how many, their names, domids and roles, and in files of their own
// order, links and CPUs. They look at the value as it was read, right or wrong, so that their faults are
// told together with all others.

import { MAX_DOMAINS } from "../../contract/limits.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { RECOVERY_ROLE } from "../plan/roles.js";
import { domainNameFault, domidFault, isMapping, roleFault } from "./judges.js";
import { checkLinks } from "./links.js";
import { checkOrder } from "./order.js";
import { type Path, type Places, subjectOf } from "./places.js";
import { checkProcessors } from "./processors.js";
import { descriptionRules } from "./rules.js";

/** Checks what the schema can't say of the domains in `value`; two of one name, the reader sees. */
export function checkBetweenDomains(value: unknown, places: Places): readonly Diagnostic[] {
  if (!isMapping(value)) return [];
  const { domains, host, links, pools } = value;
  if (!isMapping(domains)) return [];
  const names = Object.keys(domains);
  return [
    ...checkCount(names, places),
    ...checkNames(names, places),
    ...checkDomids(domains, places),
    ...checkRoles(domains, places),
    ...checkRecovery(domains, places),
    ...checkOrder(domains, places),
    ...checkLinks(links, domains, places),
    ...checkProcessors({ domains, host, pools }, places),
  ];
}

function checkCount(names: readonly string[], places: Places): readonly Diagnostic[] {
  if (names.length === 0) {
    return [
      descriptionRules.diagnose("DOMB1029", {
        place: places.ofKey(["domains"]),
        message: "domains is empty; wanted: at least one domain",
        fix: "Add a domain with a kernel and memory.",
      }),
    ];
  }
  const first = names[MAX_DOMAINS];
  if (first === undefined) return [];
  return [
    descriptionRules.diagnose("DOMB2003", {
      place: places.ofKey(["domains", first]),
      message: `there are ${names.length} domains; wanted: at most ${MAX_DOMAINS}, and this is the first above`,
      fix: `Remove ${names.length - MAX_DOMAINS} of them.`,
    }),
  ];
}

function checkNames(names: readonly string[], places: Places): readonly Diagnostic[] {
  return names.flatMap((name) => {
    const fault = domainNameFault(name);
    if (fault === undefined) return [];
    const place = places.ofKey(["domains", name]);
    const message = `the name of a domain ${fault.predicate}`;
    return [descriptionRules.diagnose(fault.code, { place, message, fix: fault.fix })];
  });
}

function checkDomids(
  domains: Readonly<Record<string, unknown>>,
  places: Places,
): readonly Diagnostic[] {
  const owners = new Map<unknown, string>();
  const diagnostics: Diagnostic[] = [];
  for (const [name, domain] of Object.entries(domains)) {
    const domid = isMapping(domain) ? domain.domid : undefined;
    if (domid === undefined || domidFault(domid) !== undefined) continue;
    const owner = owners.get(domid);
    if (owner === undefined) {
      owners.set(domid, name);
      continue;
    }
    diagnostics.push(
      descriptionRules.diagnose("DOMB2002", {
        place: places.ofValue(["domains", name, "domid"]),
        message: `${subjectOf(["domains", name])} has domid ${domid}, as has ${subjectOf(["domains", owner])}`,
        fix: "Give one of them another, or leave it out.",
        related: [
          { place: places.ofValue(["domains", owner, "domid"]), message: "first given here" },
        ],
      }),
    );
  }
  return diagnostics;
}

function checkRoles(
  domains: Readonly<Record<string, unknown>>,
  places: Places,
): readonly Diagnostic[] {
  // The recovery domain is started instead of the others, and so may have what one of them has.
  const owners = { main: new Map<unknown, Path>(), recovery: new Map<unknown, Path>() };
  const diagnostics: Diagnostic[] = [];
  for (const [name, domain] of Object.entries(domains)) {
    const given = rolesOf(domain);
    const plan = owners[given.includes(RECOVERY_ROLE) ? "recovery" : "main"];
    for (const [index, role] of given.entries()) {
      if (roleFault(role) !== undefined) continue;
      const path = ["domains", name, "roles", index];
      const owner = plan.get(role);
      if (owner === undefined) {
        plan.set(role, path);
        continue;
      }
      diagnostics.push(
        descriptionRules.diagnose("DOMB2004", {
          place: places.ofValue(path),
          message: `${subjectOf(path.slice(0, 2))} has the role ${role}, as has ${subjectOf(owner.slice(0, 2))}`,
          fix: "Take it from one of them: each role is given once.",
          related: [{ place: places.ofValue(owner), message: "first given here" }],
        }),
      );
    }
  }
  return diagnostics;
}

function rolesOf(domain: unknown): readonly unknown[] {
  return isMapping(domain) && Array.isArray(domain.roles) ? domain.roles : [];
}

function checkRecovery(
  domains: Readonly<Record<string, unknown>>,
  places: Places,
): readonly Diagnostic[] {
  const given = Object.entries(domains);
  const others = given.filter(([, domain]) => !rolesOf(domain).includes(RECOVERY_ROLE));
  const [first] = given;
  if (first === undefined || others.length > 0) return [];
  return [
    descriptionRules.diagnose("DOMB2005", {
      place: places.ofKey(["domains", first[0]]),
      message: `${subjectOf(["domains", first[0]])} is the recovery domain, and there is no other`,
      fix: "Add a domain, or take the role from this one.",
    }),
  ];
}
