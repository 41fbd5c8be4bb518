// SPDX-License-Identifier: Apache-2.0
// What Initial Domains do once they run, as far as the boot domain can hear of it, and how Xen tells
// it: boot_domain_wait(), xen/common/boot_domain.c.

import * as abi from "../contract/xen-abi.js";

/** What a domain does; times in nanoseconds since its start. */
export interface Behaviour {
  /** When it notifies which event channel port of the boot domain. */
  readonly signals?: readonly { readonly atNs: number; readonly port: number }[];
  /** When it ends, and how: SHUTDOWN_*. */
  readonly end?: { readonly atNs: number; readonly reason: number } | undefined;
}

/** What is known of a domain that runs. */
export interface DomainLife {
  readonly startedNs: number;
  readonly behaviour: Behaviour;
  /** The boot domain's port by which it signals. */
  readonly signalPort: number | undefined;
  toldSignal: boolean;
  toldEnd: boolean;
}

export interface News {
  readonly domid: number;
  readonly event: number;
  readonly reason: number;
}

/** When the domain signals first by its own channel, before its end; NaN: never. */
function signalTime({ startedNs, behaviour, signalPort }: DomainLife): number {
  const { signals = [], end } = behaviour;
  const times = signals
    .filter(({ port, atNs }) => port === signalPort && !(atNs > (end?.atNs ?? atNs)))
    .map(({ atNs }) => startedNs + atNs);
  return times.length === 0 ? Number.NaN : Math.min(...times);
}

function endTime({ startedNs, behaviour }: DomainLife): number {
  return behaviour.end === undefined ? Number.NaN : startedNs + behaviour.end.atNs;
}

/** The first untold piece of news at a time, in the order of the domains; undefined: none. */
export function takeNews(lives: ReadonlyMap<number, DomainLife>, nowNs: number): News | undefined {
  for (const [domid, life] of lives) {
    if (!life.toldSignal && signalTime(life) <= nowNs) {
      life.toldSignal = true;
      return { domid, event: abi.XEN_BOOT_DOMAIN_EVENT_signalled, reason: 0 };
    }
    if (!life.toldEnd && endTime(life) <= nowNs) {
      life.toldEnd = true;
      const reason = life.behaviour.end?.reason ?? 0;
      return { domid, event: abi.XEN_BOOT_DOMAIN_EVENT_ended, reason };
    }
  }
  return undefined;
}

/** When there is news next, after a time; infinity: never. */
export function nextNews(lives: ReadonlyMap<number, DomainLife>, nowNs: number): number {
  const times = [...lives.values()].flatMap((life) => [
    ...(life.toldSignal ? [] : [signalTime(life)]),
    ...(life.toldEnd ? [] : [endTime(life)]),
  ]);
  return Math.min(Number.POSITIVE_INFINITY, ...times.filter((time) => time > nowNs));
}
