// SPDX-License-Identifier: Apache-2.0
// What domains do once they run, as text: what `domb simulate --behave` takes, and what a failing test
// prints. A domain of which nothing is said does what its plan awaits of it.

import type { Plan, PlanDomain } from "../compiler/plan/plan.js";
import type { Behaviour } from "../xen-model/domain-life.js";
import { type ShutdownReason, shutdownReasons } from "../xen-model/shutdown.js";

/** When a domain does what is awaited, after its start, or after its signal. */
const AWAITED_NS = 1_000_000;
const NANOSECONDS_PER_MICROSECOND = 1000;

/** Something that a domain does, so many nanoseconds after its start. */
export type Deed =
  | { readonly kind: "signal"; readonly atNs: number; readonly port: number | undefined }
  | { readonly kind: "end"; readonly atNs: number; readonly reason: ShutdownReason };

/** What a domain of this name does; without deeds it is silent, and runs on. */
export interface NamedBehaviour {
  readonly name: string;
  readonly deeds: readonly Deed[];
}

export type ParsedBehaviour =
  | { readonly ok: true; readonly behaviour: NamedBehaviour }
  | { readonly ok: false; readonly problem: string };

/** The forms of a behaviour, for messages. */
export const behaviourForms =
  "storage=signal@2s, storage=signal@2s,end@3s:poweroff, storage=signal@5ms:port=7, storage=crash@1s or storage=silent";

const units = { us: 1_000, ms: 1_000_000, s: 1_000_000_000 } as const;
const deedForm = /^(signal|end|crash)@(0|[1-9]\d{0,8})(us|ms|s)(?::(?:port=(\d{1,4})|([a-z_]+)))?$/;

/** Reads `NAME=DEED,DEED…`, or `NAME=silent`. */
export function parseBehaviour(text: string): ParsedBehaviour {
  const equals = text.indexOf("=");
  const [name, list] = [text.slice(0, Math.max(0, equals)), text.slice(equals + 1)];
  const malformed = `a behaviour is ${JSON.stringify(text)}, wanted: ${behaviourForms}`;
  if (name === "" || list === "") return { ok: false, problem: malformed };
  if (list === "silent") return { ok: true, behaviour: { name, deeds: [] } };
  const deeds: Deed[] = [];
  for (const word of list.split(",")) {
    const deed = parseDeed(word);
    if (deed === undefined) return { ok: false, problem: malformed };
    if (typeof deed === "string") return { ok: false, problem: deed };
    deeds.push(deed);
  }
  const ends = deeds.filter(({ kind }) => kind === "end").length;
  if (ends > 1)
    return { ok: false, problem: `domain ${name} ends ${ends} times, wanted once at most` };
  return { ok: true, behaviour: { name, deeds } };
}

/** A deed, what is wrong with its reason, or undefined: it has not the form of one. */
function parseDeed(word: string): Deed | string | undefined {
  const [matched, kind, number, unit, port, reason] = deedForm.exec(word) ?? [];
  if (matched === undefined) return undefined;
  const atNs = Number(number) * units[unit as keyof typeof units];
  if (kind === "signal") {
    if (reason !== undefined) return undefined;
    return { kind, atNs, port: port === undefined ? undefined : Number(port) };
  }
  if (port !== undefined || (kind === "crash" && reason !== undefined)) return undefined;
  const ended = kind === "crash" ? "crash" : (reason ?? "poweroff");
  if (Object.hasOwn(shutdownReasons, ended)) {
    return { kind: "end", atNs, reason: ended as ShutdownReason };
  }
  const known = Object.keys(shutdownReasons).join(", ");
  return `a domain can't end by ${JSON.stringify(ended)}, wanted one of ${known}`;
}

/** The text that parseBehaviour() reads back. Times are whole microseconds. */
export function formatBehaviour({ name, deeds }: NamedBehaviour): string {
  return `${name}=${deeds.length === 0 ? "silent" : deeds.map(formatDeed).join(",")}`;
}

function formatDeed(deed: Deed): string {
  const time = formatTime(deed.atNs);
  if (deed.kind === "end") return `end@${time}:${deed.reason}`;
  return `signal@${time}${deed.port === undefined ? "" : `:port=${deed.port}`}`;
}

/** A time in the largest unit that holds it without a fraction. */
function formatTime(nanoseconds: number): string {
  const [unit, size] = Object.entries(units).findLast(([, one]) => nanoseconds % one === 0) ?? [
    "us",
    NANOSECONDS_PER_MICROSECOND,
  ];
  return `${Math.round(nanoseconds / size)}${unit}`;
}

/** What each domain of these plans does: as is said of it by its name, else as it is awaited. */
export function behavioursIn(
  plans: readonly Plan[],
  named: readonly NamedBehaviour[] = [],
): (domid: number) => Behaviour | undefined {
  const behaviours = new Map(
    plans.flatMap((plan) =>
      plan.domains.map((domain, index) => {
        const port = signalPortOf(plan, index);
        const said = named.findLast(({ name }) => name === domain.name);
        const deeds = said?.deeds ?? awaitedDeeds(domain);
        return [domain.domid, behaviourOf(deeds, port)] as const;
      }),
    ),
  );
  return (domid) => behaviours.get(domid);
}

/** All do as their plan awaits of them. */
export function asPlanned(...plans: readonly Plan[]): (domid: number) => Behaviour | undefined {
  return behavioursIn(plans);
}

function awaitedDeeds({ readiness }: Pick<PlanDomain, "readiness">): readonly Deed[] {
  const signal = { kind: "signal", atNs: AWAITED_NS, port: undefined } as const;
  const end = { kind: "end", atNs: 2 * AWAITED_NS, reason: "poweroff" } as const;
  return { started: [], signalled: [signal], finished: [signal, end] }[readiness];
}

/** The boot domain's port that is opened for a domain; 0, which is nobody's: none is. */
function signalPortOf({ steps, operations }: Plan, domain: number): number {
  const own = steps
    .filter((step) => step.domain === domain)
    .flatMap(({ firstOperation, operationCount }) =>
      operations.slice(firstOperation, firstOperation + operationCount),
    );
  return own.flatMap((one) => (one.kind === "openSignal" ? [one.port] : []))[0] ?? 0;
}

function behaviourOf(deeds: readonly Deed[], ownPort: number): Behaviour {
  const end = deeds.find((deed) => deed.kind === "end");
  return {
    signals: deeds.flatMap((deed) =>
      deed.kind === "signal" ? [{ atNs: deed.atNs, port: deed.port ?? ownPort }] : [],
    ),
    end: end && { atNs: end.atNs, reason: shutdownReasons[end.reason] },
  };
}
