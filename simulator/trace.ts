// SPDX-License-Identifier: Apache-2.0
// A launch hypercall by hypercall: when, of which step and operation, what Xen was asked, what it
// answered, and what it told of the domains.

import type { PlanDomain } from "../compiler/plan/plan.js";
import { XEN_BOOT_DOMAIN_EVENT_signalled } from "../contract/xen-abi.js";
import type { News } from "../xen-model/domain-life.js";
import { errnoName } from "../xen-model/errno.js";
import type { Hypercall } from "../xen-model/hypercalls.js";
import { shutdownName } from "../xen-model/shutdown.js";
import type { Observe } from "../xen-model/xen.js";
import type { LaunchFollower } from "./promises/follow-launch.js";

/** One hypercall of a trace. */
export interface TracedCall {
  /** Virtual time in nanoseconds since the launch began. */
  readonly atNs: number;
  readonly endNs: number;
  /** Of the plans that run, or are refused, which it is: 0 the first, 1 the recovery plan after it. */
  readonly part: number;
  /** Numbers of step and operation, from 1; 0 for what is of none. */
  readonly step: number;
  readonly operation: number;
  readonly hypercall: Hypercall["name"];
  readonly occurrence: number;
  /** 0 for those on no domain. */
  readonly domid: number;
  readonly details: string;
  /** 0 or more, or a negative errno; undefined for the exit, which does not return. */
  readonly answer: number | undefined;
  /** What a wait told. */
  readonly heard: News | undefined;
}

/** Collects the hypercalls of one launch, whose follower knows what each is for. */
export class Trace {
  readonly calls: TracedCall[] = [];
  readonly #follower: LaunchFollower;

  constructor(follower: LaunchFollower) {
    this.#follower = follower;
  }

  /** What a simulation calls with each hypercall. */
  readonly observe: Observe = (call, answer, endNs, heard) => {
    const place = this.#follower.see({ call, answer, endNs, heard });
    const { atNs, name, occurrence, domid } = call;
    this.calls.push({
      ...{ atNs, endNs, part: place?.part ?? 0 },
      ...{ step: place?.step ?? 0, operation: place?.operation ?? 0 },
      ...{ hypercall: name, occurrence, domid, details: call.details(), answer, heard },
    });
  };

  /** A line for each hypercall, each step under a heading of its own. */
  lines(): readonly string[] {
    let last = "";
    return this.calls.flatMap((call) => {
      const heading = this.#heading(call);
      const isNew = heading !== last;
      last = heading;
      return [...(isNew ? [heading] : []), this.#line(call)];
    });
  }

  #heading({ part, step, hypercall }: TracedCall): string {
    const recovery = part === 0 ? "" : "recovery plan, ";
    if (step > 0) {
      const index = this.#follower.parts[part]?.plan?.steps[step - 1]?.domain ?? -1;
      const domain = this.#domains(part)[index]?.name;
      return `${recovery}step ${step}, domain ${domain}`;
    }
    if (hypercall === "wait") return `${recovery}between steps`;
    if (hypercall === "destroy") return `${recovery}what is destroyed`;
    if (hypercall === "drop" || hypercall === "policy") return `${recovery}at the beginning`;
    return `${recovery}at the end`;
  }

  #domains(part: number): readonly PlanDomain[] {
    return this.#follower.parts[part]?.plan?.domains ?? [];
  }

  #line(call: TracedCall): string {
    const time = `${(call.atNs / 1e6).toFixed(6)} ms`.padStart(18);
    const where = call.operation === 0 ? "" : `operation ${call.operation}`;
    const domain = call.domid === 0 ? "" : ` d${call.domid}`;
    const details = call.details === "" ? "" : ` ${call.details}`;
    const what = `${call.hypercall}:${call.occurrence}${domain}${details}`;
    return `${time}  ${where.padEnd(14)}  ${what}${this.#answer(call)}`;
  }

  #answer({ answer, hypercall, heard, part }: TracedCall): string {
    if (answer === undefined) return "";
    if (answer < 0) return ` → ${errnoName(-answer)}`;
    if (hypercall !== "wait") return answer === 0 && hypercall !== "populate" ? "" : ` → ${answer}`;
    if (heard === undefined) return " → nothing";
    const name = this.#domains(part).find(({ domid }) => domid === heard.domid)?.name;
    const who = `${name ?? "a domain"}, d${heard.domid},`;
    return heard.event === XEN_BOOT_DOMAIN_EVENT_signalled
      ? ` → ${who} has signalled`
      : ` → ${who} has ended: ${shutdownName(heard.reason)}`;
  }
}
