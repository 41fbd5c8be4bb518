// SPDX-License-Identifier: Apache-2.0
// Keys and values of the launch description that have a meaning, but don't work yet. They are
// refused, never ignored: a launch that silently lacks a privilege or an order is a wrong launch.

/** Keys of the whole description, and what each will say. */
export const laterLaunchKeys: Readonly<Record<string, string>> = {
  links: "the static wiring between domains",
};

/** Keys of `host`, and what each will say. */
export const laterHostKeys: Readonly<Record<string, string>> = {
  memory: "how much memory the host has",
  cpus: "how many CPUs the host has",
};

/** Keys of a domain, and what each will say. */
export const laterDomainKeys: Readonly<Record<string, string>> = {
  console: "the domain that serves its console",
  ready: "what lets its dependants start",
  onFailure: "what its failure means for the launch",
  after: "the domains that must be ready before it starts",
  clones: "how many copies of it start",
};
