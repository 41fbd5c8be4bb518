// SPDX-License-Identifier: Apache-2.0
// `domb sign IMAGE`: signs an image's plans, or puts signatures into it that were made elsewhere.

import type { Command } from "commander";
import type { Result } from "../../compiler/diagnostics/diagnostic.js";
import { type DecodedImage, decodeImage } from "../../compiler/image/decode-image.js";
import { signatureRules } from "../../compiler/signature/rules.js";
import { type PlanName, withSignature } from "../../compiler/signature/sign-image.js";
import { SIGNATURE_BYTES } from "../../contract/trust.js";
import { CommandError, printJson, printText, readBytes, take } from "../answer.js";
import { digestOf } from "../describe-launch.js";
import { readSecretKey, takeSigned } from "../keys.js";
import { writeOutput } from "../output.js";

const schema = "domb.sign/1";

interface SignOptions {
  readonly key?: string;
  readonly attach?: string;
  readonly attachRecovery?: string;
  readonly output?: string;
  readonly json?: boolean;
}

export function registerSign(program: Command): void {
  program
    .command("sign")
    .summary("sign an image")
    .description(
      "Signs every plan of an image, or attaches signatures that an HSM or a build service made of what `domb build --digest-only` wrote.",
    )
    .argument("<image>", "a launch image")
    .option("--key <file>", "the secret key")
    .option("--attach <file>", "the main plan's signature, 7856 bytes")
    .option("--attach-recovery <file>", "the recovery plan's signature")
    .option("-o, --output <image>", "where to write it (default: in place of the image)")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  domb sign launch.img --key owner.key\n  domb sign launch.img --attach launch.img.sig -o signed.img",
    )
    .action(sign);
}

async function sign(path: string, options: SignOptions): Promise<void> {
  const { key, attach, attachRecovery, output = path, json = false } = options;
  const answer = { schema, json };
  const attached = attach !== undefined || attachRecovery !== undefined;
  if ((key === undefined) !== attached) {
    const fix = "Give --key, or else --attach or --attach-recovery or both of them.";
    throw new CommandError("DOMB6001", "a key signs, or signatures are attached", fix);
  }
  const image = await readBytes(path);
  const decoded = take(decodeImage(image, { file: path }), answer);
  if (decoded === undefined) return;
  const signed =
    key === undefined
      ? take(
          await attachAll(image, decoded, path, { main: attach, recovery: attachRecovery }),
          answer,
        )
      : await signWith(key, image, answer);
  if (signed === undefined) return;
  await writeOutput(output, signed);
  if (json) printJson(schema, { ok: true, output, imageDigest: digestOf(signed) });
  else printText(`${output} is written: SHA-256 ${digestOf(signed)}`);
}

async function signWith(
  path: string,
  image: Uint8Array,
  answer: { schema: string; json: boolean },
): Promise<Uint8Array | undefined> {
  const secret = take(await readSecretKey(path), answer);
  return secret === undefined ? undefined : takeSigned(image, secret, path, answer);
}

async function attachAll(
  image: Uint8Array,
  { recovery }: DecodedImage,
  path: string,
  files: Readonly<Record<PlanName, string | undefined>>,
): Promise<Result<Uint8Array>> {
  let signed = image;
  for (const plan of ["main", "recovery"] as const) {
    const file = files[plan];
    if (file === undefined) continue;
    if (plan === "recovery" && recovery === undefined) {
      const message = "the image has no recovery plan, wanted one to attach a signature to";
      const fix = "Leave out --attach-recovery.";
      return refused("DOMB5107", { file: path }, message, fix);
    }
    const signature = await readBytes(file);
    if (signature.length !== SIGNATURE_BYTES) {
      const message = `the file has ${signature.length} bytes, wanted the ${SIGNATURE_BYTES} of a signature`;
      const fix = "Give the signature alone, in binary.";
      return refused("DOMB5106", { file }, message, fix);
    }
    signed = withSignature(signed, plan, signature);
  }
  return { ok: true, value: signed, diagnostics: [] };
}

function refused(
  code: "DOMB5106" | "DOMB5107",
  place: { file: string },
  message: string,
  fix: string,
): Result<never> {
  return { ok: false, diagnostics: [signatureRules.diagnose(code, { place, message, fix })] };
}
