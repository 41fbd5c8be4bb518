// SPDX-License-Identifier: Apache-2.0
// What the 2018 RFC "Boot Domain, domB" asks of a boot domain, each with an id. A test that shows
// one carries the id in its title, in brackets; docs/requirements.md is generated from both.

export interface Requirement {
  readonly id: string;
  readonly text: string;
}

export const requirements: readonly Requirement[] = [
  { id: "RFC-FAST", text: "Many domains are launched fast." },
  { id: "RFC-ORDER", text: "Domains are created in parallel or in sequence." },
  { id: "RFC-ALIKE", text: "x86 and ARM have one system initialisation." },
  { id: "RFC-MINIMAL", text: "The code of highest privilege is minimal, fit for certification." },
  { id: "RFC-POLICY", text: "Launch policy is not in the hypervisor." },
  { id: "RFC-PARSING", text: "The hypervisor does no complex parsing, of device trees or other." },
  { id: "RFC-MEASURED", text: "The launch of any or all domains can be measured." },
  { id: "RFC-VERIFIED", text: "The launch of any or all domains can be verified." },
  { id: "RFC-TOOLS", text: "Tools create and update the boot files." },
  { id: "RFC-LABELS", text: "Initial Domains get their XSM labels at creation." },
  { id: "RFC-RATCHET", text: "Privileges are handed out once: a ratchet." },
  { id: "RFC-MODELS", text: "Every system model: classic dom0 to static partitions and clones." },
  { id: "RFC-HARDWARE", text: "The boot domain has no access to hardware." },
  { id: "RFC-CREATE", text: "It creates every Initial Domain from its ramdisk, as described." },
  { id: "RFC-EXIT", text: "It terminates with a launch status, and nothing privileged is left." },
  { id: "RFC-ONCE", text: "Nothing can start it again." },
];
