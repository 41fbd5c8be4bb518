// SPDX-License-Identifier: Apache-2.0
// `domb trust`: writes a boot domain that launches only what the owners of its keys signed.

import { type Command, Option } from "commander";
import type { XenVersion } from "../../compiler/image/xen-versions.js";
import { trustOf, withTrust } from "../../compiler/signature/trust.js";
import { paths } from "../../setup/paths.js";
import { type Architecture, architectures } from "../../xen-model/machines.js";
import { CommandError, printJson, printText, readBytes, take, xenOption } from "../answer.js";
import { digestOf } from "../describe-launch.js";
import { checkKeyCount, parseVersion, readPublicKeys, repeated } from "../keys.js";
import { writeOutput } from "../output.js";

const schema = "domb.trust/1";

interface TrustCommandOptions {
  readonly key?: readonly string[];
  readonly leastVersion?: number;
  readonly bootDomain?: string;
  readonly output?: string;
  readonly xen?: XenVersion;
  readonly arch?: Architecture;
  readonly json?: boolean;
}

export function registerTrust(program: Command): void {
  program
    .command("trust")
    .summary("write a boot domain that trusts keys")
    .description(
      "Writes the boot domain with one or two public keys in it: it then launches nothing that none of them signed. Without keys: shows whom a boot domain trusts.",
    )
    .option("--key <file>", "a public key; may be given twice, to change over", repeated)
    .option("--least-version <number>", "least launch version that it runs", parseVersion)
    .option("--boot-domain <file>", "the boot domain to begin with (default: the built one)")
    .addOption(xenOption("the Xen that it is for (default: 4.17)"))
    .addOption(
      new Option("--arch <architecture>", "the host that it is for (default: x86_64)").choices(
        architectures,
      ),
    )
    .option("-o, --output <file>", "where to write it")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      [
        "\nExamples:",
        "  domb trust --key owner.pub -o boot-domain.elf",
        "  domb trust --key owner.pub --arch arm64 -o boot-domain.image",
        "  domb trust --key owner.pub --key next.pub --least-version 7 -o boot-domain.elf",
        "  domb trust --boot-domain boot-domain.elf",
      ].join("\n"),
    )
    .action(trust);
}

async function trust(options: TrustCommandOptions): Promise<void> {
  const { key = [], leastVersion = 0, output, xen, arch, json = false } = options;
  const answer = { schema, json };
  const path = options.bootDomain ?? paths.bootDomain(xen, arch);
  const bootDomain = await readBootDomain(path, options.bootDomain === undefined);
  if (key.length === 0) {
    if (output !== undefined || options.leastVersion !== undefined) {
      const fix = "Give one or two public keys with --key.";
      throw new CommandError("DOMB6001", "a boot domain without keys verifies nothing", fix);
    }
    const found = take(trustOf(bootDomain, { file: path }), answer);
    if (found !== undefined) show(path, bootDomain, found, json);
    return;
  }
  checkKeyCount(key, "--key");
  if (output === undefined) {
    const fix = "Say with --output where to write the boot domain.";
    throw new CommandError("DOMB6001", "keys are given, but no --output", fix);
  }
  const keys = take(await readPublicKeys(key), answer);
  if (keys === undefined) return;
  const trusted = { keys, leastLaunchVersion: leastVersion };
  const written = take(withTrust(bootDomain, trusted, { file: path }), answer);
  if (written === undefined) return;
  await writeOutput(output, written, key);
  show(output, written, trusted, json);
}

async function readBootDomain(path: string, isBuilt: boolean): Promise<Uint8Array> {
  try {
    return await readBytes(path);
  } catch (error) {
    if (!isBuilt || !(error instanceof CommandError)) throw error;
    throw new CommandError("DOMB6004", "the boot domain is not built", "Run: npm run build");
  }
}

function show(
  path: string,
  bootDomain: Uint8Array,
  { keys, leastLaunchVersion }: { keys: readonly Uint8Array[]; leastLaunchVersion: number },
  json: boolean,
): void {
  const publicKeys = keys.map((key) => Buffer.from(key).toString("hex"));
  if (json) {
    const document = { path, digest: digestOf(bootDomain), publicKeys, leastLaunchVersion };
    printJson(schema, { ok: true, ...document });
    return;
  }
  printText(
    [
      `${path}: SHA-256 ${digestOf(bootDomain)}`,
      ...(keys.length === 0
        ? ["NOT VERIFIED: it trusts no key, and launches what is not signed"]
        : []),
      ...publicKeys.map((key, index) => `key ${index + 1}  ${key}`),
      ...(keys.length === 0 ? [] : [`runs launch version ${leastLaunchVersion} and later`]),
    ].join("\n"),
  );
}
