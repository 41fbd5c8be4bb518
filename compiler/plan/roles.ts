// SPDX-License-Identifier: Apache-2.0
// The roles that a domain can have, and the privilege by which Xen knows each: a flag of its
// creation that the boot domain can give once (xen/include/public/boot_domain.h).

import {
  XEN_DOMCTL_CDF_console,
  XEN_DOMCTL_CDF_control,
  XEN_DOMCTL_CDF_hardware,
  XEN_DOMCTL_CDF_xs_domain,
} from "../../contract/xen-abi.js";

/** Every role that is a privilege, in the order in which they are told. */
export const roles = ["control", "xenstore", "console", "hardware"] as const;

export type Role = (typeof roles)[number];

/** The role that is no privilege: its domain is made by the recovery plan, and only by it. */
export const RECOVERY_ROLE = "recovery";

/** XEN_DOMCTL_CDF_* of each role. */
export const privilegeOf: Readonly<Record<Role, number>> = {
  control: XEN_DOMCTL_CDF_control,
  xenstore: XEN_DOMCTL_CDF_xs_domain,
  console: XEN_DOMCTL_CDF_console,
  hardware: XEN_DOMCTL_CDF_hardware,
};

/** XEN_DOMCTL_CDF_* of these roles together. */
export function privilegesOf(some: readonly Role[]): number {
  return some.reduce((flags, role) => flags | privilegeOf[role], 0);
}

/** The roles in these flags, of which others may be set too. */
export function rolesOf(flags: number): readonly Role[] {
  return roles.filter((role) => (flags & privilegeOf[role]) !== 0);
}
