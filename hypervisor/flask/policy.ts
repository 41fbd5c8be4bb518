// SPDX-License-Identifier: Apache-2.0
// Makes the FLASK policy: Xen's reference policy and domb's module on top of it, by m4 and
// checkpolicy, which give the same bytes for the same inputs.

import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { buildEnvironment } from "../../setup/build-environment.js";
import { paths } from "../../setup/paths.js";
import { bootDomainPermissions, type Permission } from "./permissions.js";

/** Newest format of a policy that Xen reads. */
const POLICY_VERSION = "30";

/** Modules of the reference policy, in the order of its modules.conf. */
const modules = ["xen", "dom0", "guest_features", "domU", "all_system_role"];

/** Types of domains that the boot domain creates. */
const initialTypes = ["initial_t", "linked_initial_t", "control_initial_t"];

/** domb's module; `permissions` are all that the boot domain has. */
export function policyModule(permissions: readonly Permission[] = bootDomainPermissions): string {
  const rules = permissions.map(
    (one) => `allow boot_domain_t ${one.on}:${one.class} ${one.permission}; # ${one.for}`,
  );
  const lines = [
    "# Domains that the boot domain creates, and their event channels.",
    "attribute initial_type;",
    "attribute initial_event_type;",
    ...initialTypes.flatMap((type) => [
      `declare_domain(${type}, initial_type)`,
      `typeattribute ${type}_channel initial_event_type;`,
    ]),
    "",
    "# All that the boot domain may do: the type itself has nothing.",
    ...rules,
    "",
    "# Each may say to the boot domain that it is ready.",
    "type boot_domain_t_channel, event_type;",
    "type_transition boot_domain_t initial_type:event boot_domain_t_channel;",
    "allow boot_domain_t_channel initial_type:event bind;",
    ...initialTypes.flatMap((type) => [
      `type_transition ${type} boot_domain_t:event ${type}_channel;`,
      `create_channel(${type}, boot_domain_t, ${type}_channel)`,
    ]),
    "",
    "# Domains with links may talk among themselves: each says, by its ports and grants, with whom.",
    "domain_comms(linked_initial_t, linked_initial_t)",
    "domain_self_comms(linked_initial_t)",
    "",
    "# A control domain manages the others, and creates domains with the usual label.",
    "create_domain(control_initial_t, domU_t)",
    "manage_domain(control_initial_t, domU_t)",
    "manage_domain(control_initial_t, initial_t)",
    "manage_domain(control_initial_t, linked_initial_t)",
    "domain_comms(control_initial_t, initial_t)",
    "domain_comms(control_initial_t, linked_initial_t)",
    "domain_comms(control_initial_t, domU_t)",
    "allow control_initial_t security_t:security check_context;",
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** The binary policy. `source`: Xen's tree, or the parts of it that the set-up keeps. */
export async function buildPolicy(
  permissions: readonly Permission[] = bootDomainPermissions,
  source = paths.xenPolicySource(),
): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), "domb-policy-"));
  const reference = join(source, "tools", "flask", "policy");
  const declared = (name: string): string => join(source, "xen", "xsm", "flask", "policy", name);
  const common = (name: string): string => join(reference, "policy", name);
  const own = join(directory, "boot_domain.te");
  const text = join(directory, "policy.conf");
  const binary = join(directory, "policy");
  // The order is that of the reference policy's own makefile; checkpolicy demands it.
  const sections = [
    declared("security_classes"),
    common("security_classes"),
    declared("initial_sids"),
    declared("access_vectors"),
    common("access_vectors"),
    join(reference, "policy", "support", "misc_macros.spt"),
    join(reference, "policy", "support", "mls_macros.spt"),
    common("mls"),
    join(reference, "modules", "xen.if"),
    common("global_tunables"),
    ...modules.map((name) => join(reference, "modules", `${name}.te`)),
    own,
    common("users"),
    common("initial_sids"),
    common("device_contexts"),
  ];
  const macros = ["self_contained_policy", "mls_num_sens=16", "mls_num_cats=256"];
  try {
    await writeFile(own, policyModule(permissions));
    const options = macros.flatMap((macro) => ["-D", macro]);
    const env = buildEnvironment();
    const { stdout } = await execa("m4", [...options, ...sections], { env });
    await writeFile(text, `${stdout}\n`);
    await execa("checkpolicy", ["-t", "Xen", "-c", POLICY_VERSION, text, "-o", binary], { env });
    return new Uint8Array(await readFile(binary));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const policy = paths.xenPolicy();
  await mkdir(dirname(policy), { recursive: true });
  await writeFile(`${policy}.new`, await buildPolicy());
  await rename(`${policy}.new`, policy);
}
