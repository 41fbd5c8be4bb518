// SPDX-License-Identifier: Apache-2.0
// Signs a program of EFI firmware, as Secure Boot wants it (Authenticode, SHA-256). The time in the
// signature is the beginning of the certificate's validity, so that the same inputs give the same
// bytes; firmware does not look at it. Private keys stay where they are: only their path is used.

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MediaError } from "./problem.js";
import { runProgram } from "./programs.js";

export interface Signer {
  /** PEM files: a private key without pass phrase, and its X.509 certificate. */
  readonly keyPath: string;
  readonly certificatePath: string;
}

function unfit(what: string, fix: string): MediaError {
  return new MediaError({ kind: "unfit-key", what, fix });
}

function readKey(path: string, text: Buffer): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    const fix = /ENCRYPTED/.test(text.toString("latin1"))
      ? "Take its pass phrase off in a private place, or sign the file afterwards with sbsign."
      : "Give a PEM file, as `openssl req -x509 -newkey rsa:2048 -noenc` writes one.";
    throw unfit(`${path} holds no private key that can be read`, fix);
  }
}

function readCertificate(path: string, text: Buffer): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    const fix = "Give a PEM file, as `openssl req -x509` writes one.";
    throw unfit(`${path} holds no X.509 certificate`, fix);
  }
}

/** Reads key and certificate and sees that they belong together; rejects as node:fs does. */
export async function readSigner({ keyPath, certificatePath }: Signer): Promise<X509Certificate> {
  const key = readKey(keyPath, await readFile(keyPath));
  const certificate = readCertificate(certificatePath, await readFile(certificatePath));
  if (key.asymmetricKeyType !== "rsa") {
    const what = `${keyPath} is a key of type ${key.asymmetricKeyType}; firmware wants RSA`;
    throw unfit(what, "Make one with `openssl req -x509 -newkey rsa:2048 -noenc`.");
  }
  if (!certificate.checkPrivateKey(key)) {
    const what = `${certificatePath} is not the certificate of the key ${keyPath}`;
    throw unfit(what, "Give a key and the certificate that was made for it.");
  }
  return certificate;
}

/** The program with a signature. Throws a MediaError if it can't be signed. */
export async function signProgram(
  program: Uint8Array,
  signer: Signer,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const certificate = await readSigner(signer);
  const directory = await mkdtemp(join(tmpdir(), "domb-media-"));
  try {
    await writeFile(join(directory, "unsigned.efi"), program);
    const words = [
      ...["sign", "-h", "sha256", "-time", String(Date.parse(certificate.validFrom) / 1000)],
      ...["-key", resolve(signer.keyPath), "-certs", resolve(signer.certificatePath)],
      ...["-in", "unsigned.efi", "-out", "signed.efi"],
    ];
    await runProgram("osslsigncode", words, { directory, signal });
    return await readFile(join(directory, "signed.efi"));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
