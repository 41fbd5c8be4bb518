// SPDX-License-Identifier: Apache-2.0
// A key of one run, with its certificate: made by openssl in a private folder, and gone with it.

import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { Signer } from "../../media/sign.js";

export interface TestKey extends Signer {
  /** The certificate as firmware takes it, DER. */
  readonly certificate: Uint8Array;
}

/** Makes a key and a certificate, by that name, in a folder that is there. */
export async function makeTestKey(directory: string, name: string): Promise<TestKey> {
  const keyPath = join(directory, `${name}.key`);
  const certificatePath = join(directory, `${name}.pem`);
  await execa("openssl", [
    ...["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-sha256", "-days", "3650"],
    ...["-subj", `/CN=domb ${name}`, "-keyout", keyPath, "-out", certificatePath],
  ]);
  const { raw } = new X509Certificate(await readFile(certificatePath));
  return { keyPath, certificatePath, certificate: raw };
}
