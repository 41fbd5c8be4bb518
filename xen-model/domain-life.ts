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

/** What is known of a domain that runs, or has run. */
export interface DomainLife {
  readonly domid: number;
  readonly startedNs: number;
  readonly behaviour: Behaviour;
  /** The boot domain's ports by which it can signal. */
  readonly signalPorts: ReadonlySet<number>;
  toldSignal: boolean;
  toldEnd: boolean;
  /** When the boot domain destroyed it. */
  destroyedNs: number | undefined;
}

export interface News {
  readonly domid: number;
  readonly event: number;
  /** SHUTDOWN_*, NOT_SHUT_DOWN while it runs. */
  readonly reason: number;
}

/** SHUTDOWN_CODE_INVALID, xen/include/xen/sched.h. */
export const NOT_SHUT_DOWN = 0xffffffff;

/** When the domain signals first by a channel of its own, before its end; NaN: never. */
export function signalTime({ startedNs, behaviour, signalPorts }: DomainLife): number {
  const { signals = [], end } = behaviour;
  const times = signals
    .filter(({ port, atNs }) => signalPorts.has(port) && !(atNs > (end?.atNs ?? atNs)))
    .map(({ atNs }) => startedNs + atNs);
  return times.length === 0 ? Number.NaN : Math.min(...times);
}

/** When the domain ends by itself; NaN: never. */
export function endTime({ startedNs, behaviour }: DomainLife): number {
  return behaviour.end === undefined ? Number.NaN : startedNs + behaviour.end.atNs;
}

/** The first untold piece of news at a time, in the order of domids; undefined: none. */
export function takeNews(lives: Iterable<DomainLife>, nowNs: number): News | undefined {
  for (const life of [...lives].sort((one, other) => one.domid - other.domid)) {
    const { domid, behaviour } = life;
    const hasEnded = endTime(life) <= nowNs;
    const reason = hasEnded ? (behaviour.end?.reason ?? NOT_SHUT_DOWN) : NOT_SHUT_DOWN;
    if (!life.toldSignal && signalTime(life) <= nowNs) {
      life.toldSignal = true;
      return { domid, event: abi.XEN_BOOT_DOMAIN_EVENT_signalled, reason };
    }
    if (!life.toldEnd && hasEnded) {
      life.toldEnd = true;
      return { domid, event: abi.XEN_BOOT_DOMAIN_EVENT_ended, reason };
    }
  }
  return undefined;
}

/** When there is news next, after a time; infinity: never. */
export function nextNews(lives: Iterable<DomainLife>, nowNs: number): number {
  const times = [...lives].flatMap((life) => [
    ...(life.toldSignal ? [] : [signalTime(life)]),
    ...(life.toldEnd ? [] : [endTime(life)]),
  ]);
  return Math.min(Number.POSITIVE_INFINITY, ...times.filter((time) => time > nowNs));
}
