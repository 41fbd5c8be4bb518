// SPDX-License-Identifier: Apache-2.0
// `npm run demo:secure`: a machine in QEMU whose firmware enforces Secure Boot is given the same
// launch three times: signed, not signed, and signed with one byte changed afterwards.

import { join } from "node:path";
import { paths } from "../../setup/paths.js";
import { compiledFile } from "../lab-bench.js";
import type { TimelineEvent } from "../launch-observer.js";
import { expectedDomains, partsOf, SecureBootBench, withChangedByte } from "./efi-bench.js";
import type { MediaBoot } from "./media-host.js";

const example = join("examples", "static-partitions", "launch.yaml");

const INTERRUPTED = 130;

/** A medium, and whether the firmware ought to start it. */
interface Attempt {
  readonly title: string;
  readonly program: Uint8Array;
  readonly wanted: MediaBoot["status"];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function showEvent({ domain, text }: TimelineEvent): void {
  say(`     ${domain === undefined ? "" : `${domain} `}${text}`);
}

/** What a boot came to, in a person's words. */
function outcomeText({ status, reason }: MediaBoot): string {
  if (status === "success") return `started: ${reason}`;
  if (status === "refused") return `refused by the firmware: ${reason}`;
  return `${status}: ${reason}`;
}

async function main(signal: AbortSignal): Promise<number> {
  const launch = await compiledFile(join(paths.checkout, example));
  const parts = await partsOf(launch);
  const bench = await SecureBootBench.open();
  try {
    const signed = await bench.signed(parts);
    const changed = withChangedByte(signed, ".ramdisk");
    const attempts: readonly Attempt[] = [
      { title: "signed by the key that the firmware trusts", program: signed, wanted: "success" },
      { title: "not signed", program: await bench.unsigned(parts), wanted: "refused" },
      { title: "signed, then one bit of the image changed", program: changed, wanted: "refused" },
    ];
    say(`${example} on a machine in QEMU whose EFI firmware enforces Secure Boot.`);
    say("One file holds Xen, its command line, the boot domain and the launch image; a key made");
    say("for this demo signs it, and is enrolled in the firmware.");
    let asWanted = true;
    for (const [index, { title, program, wanted }] of attempts.entries()) {
      say(`\n${index + 1}. ${title}: ${program.length} bytes`);
      const boot = await bench.boot(program, expectedDomains(launch), {
        onEvent: showEvent,
        signal,
      });
      say(`   => ${outcomeText(boot)}`);
      asWanted &&= boot.status === wanted;
    }
    say(
      asWanted ? "\nThe firmware started what was signed, and nothing else." : "\nNot as wanted.",
    );
    return asWanted ? 0 : 1;
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    await bench.close();
  }
}

// An interrupted demo leaves no key behind either.
const interrupt = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => interrupt.abort());
}
process.exitCode = await main(interrupt.signal);
