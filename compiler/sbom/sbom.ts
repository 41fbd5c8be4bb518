// SPDX-License-Identifier: Apache-2.0
// The software bill of materials of an image, in CycloneDX: domains, their materials, and what is in
// those, with digests; versions and licences as far as the bytes tell them. The same image gives the
// same document, which so has neither a time nor a serial number.

import { createHash } from "node:crypto";
import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import { type ExplainedMaterial, explanationOf } from "../explain/explanation.js";
import type { DecodedImage, DecodedPlan } from "../image/decode-image.js";
import { ramdiskFiles } from "./ramdisk-files.js";
import { debianPackages, type Software, softwareIn } from "./software.js";

const kindNames: Readonly<Record<ExplainedMaterial["kind"], string>> = {
  kernel: "kernel",
  ramdisk: "ramdisk",
  startOfDay: "start of day",
  vcpuContext: "vCPU context",
};

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function note(component: Models.Component, name: string, value: string): void {
  component.properties.add(new Models.Property(`domb:${name}`, value));
}

/** Says what is known of a component, and what is not. */
function identify(component: Models.Component, software: Software | undefined): void {
  if (software?.licence !== undefined) {
    component.licenses.add(new Models.SpdxLicense(software.licence));
  }
  const unknown = [
    ...(software === undefined ? ["name", "version"] : []),
    ...(software?.licence === undefined ? ["licence"] : []),
  ];
  if (unknown.length > 0) note(component, "unknown", unknown.join(", "));
}

/** The document, as JSON text. `name`: what the image is called. */
export function sbomOf(image: Uint8Array, decoded: DecodedImage, name: string): string {
  const bom = new Models.Bom();
  const root = new Models.Component(Enums.ComponentType.Firmware, name, {
    bomRef: `image:${sha256(image)}`,
    version: String(decoded.header.launchVersion),
  });
  root.hashes.set(Enums.HashAlgorithm["SHA-256"], sha256(image));
  note(root, "verify", decoded.header.verify);
  note(root, "signed", decoded.signature === undefined ? "no" : "yes");
  bom.metadata.component = root;

  const materials = new Map<string, Models.Component>();
  const plans = [decoded, ...(decoded.recovery === undefined ? [] : [decoded.recovery])];
  for (const [index, plan] of plans.entries()) {
    for (const domain of addPlan(bom, materials, plan, index === 0 ? "main" : "recovery")) {
      root.dependencies.add(domain.bomRef);
    }
  }
  const factory = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  const options = { sortLists: true, space: 2 };
  return `${new Serialize.JsonSerializer(factory).serialize(bom, options)}\n`;
}

/** Adds a plan's domains, and such of its materials as are not there yet; gives the domains. */
function addPlan(
  bom: Models.Bom,
  materials: Map<string, Models.Component>,
  plan: DecodedPlan,
  planName: string,
): readonly Models.Component[] {
  const explanation = explanationOf(plan);
  for (const [index, material] of explanation.materials.entries()) {
    if (materials.has(material.digest)) continue;
    const component = materialComponent(material, plan.materials[index] ?? new Uint8Array());
    materials.set(material.digest, component);
    bom.components.add(component);
  }
  return explanation.domains.map(({ name, domid, roles, cmdline }) => {
    const domain = new Models.Component(Enums.ComponentType.Platform, name, {
      bomRef: `domain:${name}`,
    });
    note(domain, "plan", planName);
    note(domain, "domid", String(domid));
    note(domain, "roles", roles.join(", ") || "none");
    note(domain, "cmdline", cmdline ?? "");
    for (const { digest, usedBy } of explanation.materials) {
      const material = materials.get(digest);
      if (usedBy.includes(name) && material) domain.dependencies.add(material.bomRef);
    }
    bom.components.add(domain);
    return domain;
  });
}

function materialComponent(
  { kind, digest }: ExplainedMaterial,
  bytes: Uint8Array,
): Models.Component {
  const made = kind === "startOfDay" || kind === "vcpuContext";
  const ours: Software = { name: `domb ${kindNames[kind]}`, version: "", licence: "Apache-2.0" };
  const software = made ? ours : kind === "kernel" ? softwareIn(bytes) : undefined;
  const type = {
    kernel: Enums.ComponentType.OperatingSystem,
    ramdisk: Enums.ComponentType.File,
    startOfDay: Enums.ComponentType.Data,
    vcpuContext: Enums.ComponentType.Data,
  }[kind];
  const component = new Models.Component(type, software?.name ?? `unknown ${kindNames[kind]}`, {
    bomRef: `material:${digest}`,
    ...(software?.version ? { version: software.version } : {}),
  });
  component.hashes.set(Enums.HashAlgorithm["SHA-256"], digest);
  note(component, "material", kindNames[kind]);
  note(component, "bytes", String(bytes.length));
  if (kind === "ramdisk") addFiles(component, bytes, digest);
  else identify(component, software);
  return component;
}

function addFiles(ramdisk: Models.Component, bytes: Uint8Array, digest: string): void {
  ramdisk.name = "ramdisk";
  const files = ramdiskFiles(bytes);
  if (files === undefined) {
    note(ramdisk, "unknown", "its files: it is no cpio archive, plain or packed with gzip or zstd");
    return;
  }
  for (const { name, bytes: content } of files) {
    const software = softwareIn(content);
    const file = new Models.Component(Enums.ComponentType.File, name, {
      bomRef: `material:${digest}:${name}`,
      ...(software === undefined ? {} : { version: software.version }),
      ...(software === undefined ? {} : { description: software.name }),
    });
    file.hashes.set(Enums.HashAlgorithm["SHA-256"], sha256(content));
    identify(file, software);
    ramdisk.components.add(file);
  }
  const status = files.find(({ name }) => name === "var/lib/dpkg/status");
  for (const one of debianPackages(Buffer.from(status?.bytes ?? []).toString())) {
    const { name, version } = one;
    const component = new Models.Component(Enums.ComponentType.Library, name, {
      bomRef: `material:${digest}:deb:${name}`,
      version,
    });
    identify(component, one);
    ramdisk.components.add(component);
  }
}
