// SPDX-License-Identifier: Apache-2.0
// The versions of Xen that launches are compiled for. An image says which by the version of the
// interface that creates domains; all else that the compiler takes from Xen they have in common.

import { XEN_DOMCTL_INTERFACE_VERSION as domctl417 } from "../../contract/xen-abi.js";
import { XEN_DOMCTL_INTERFACE_VERSION as domctl423 } from "../../contract/xen-abi-4.23.js";

/** XEN_DOMCTL_INTERFACE_VERSION of each. */
export const xenInterfaces = { "4.17": domctl417, "4.23": domctl423 } as const;

export type XenVersion = keyof typeof xenInterfaces;

/** Debian's. */
export const defaultXen: XenVersion = "4.17";

/** All of them, as a user writes them. */
export const xenVersions = Object.keys(xenInterfaces) as readonly XenVersion[];

/** The version that an image with this interface is for. */
export function xenOf(xenInterface: number): XenVersion | undefined {
  return xenVersions.find((version) => xenInterfaces[version] === xenInterface);
}
