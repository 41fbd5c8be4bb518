// SPDX-License-Identifier: Apache-2.0
// Keys and values of the launch description that have a meaning, but don't work yet. They are
// refused, never ignored: a launch that silently lacks a privilege or an order is a wrong launch.

/** Keys of a domain, and what each will say. */
export const laterDomainKeys: Readonly<Record<string, string>> = {
  console: "the domain that serves its console",
  clones: "how many copies of it start",
};
