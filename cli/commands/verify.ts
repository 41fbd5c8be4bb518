// SPDX-License-Identifier: Apache-2.0
// `domb verify IMAGE`: whether an image's plans and materials are what the owner of a key signed.

import type { Command } from "commander";
import { decodeImage } from "../../compiler/image/decode-image.js";
import { verifyImage } from "../../compiler/signature/sign-image.js";
import { printJson, printText, readBytes, take } from "../answer.js";
import { digestOf } from "../describe-launch.js";
import { parseVersion, readPublicKeys, repeated } from "../keys.js";

const schema = "domb.verify/1";

interface VerifyOptions {
  readonly key: readonly string[];
  readonly leastVersion?: number;
  readonly json?: boolean;
}

export function registerVerify(program: Command): void {
  program
    .command("verify")
    .summary("check an image's signatures")
    .description(
      "Checks that every plan of an image is signed by one of the keys, and every material what its plan says.",
    )
    .argument("<image>", "a launch image")
    .requiredOption("--key <file>", "a public key; may be repeated", repeated)
    .option("--least-version <number>", "least launch version that may run", parseVersion)
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExamples:\n  domb verify launch.img --key owner.pub")
    .action(async (path: string, { key, leastVersion = 0, json = false }: VerifyOptions) => {
      const answer = { schema, json };
      const keys = take(await readPublicKeys(key), answer);
      if (keys === undefined) return;
      const bytes = await readBytes(path);
      const place = { file: path };
      const image = take(decodeImage(bytes, place), answer);
      if (image === undefined) return;
      const trust = { keys, leastLaunchVersion: leastVersion };
      const signers = take(verifyImage(image, trust, place), answer);
      if (signers === undefined) return;
      const plans = Object.entries(signers).map(([plan, number]) => {
        const { header } = plan === "recovery" && image.recovery ? image.recovery : image;
        return { plan, key: key[number - 1] ?? "", launchVersion: header.launchVersion };
      });
      if (json) {
        printJson(schema, { ok: true, imageDigest: digestOf(bytes), plans });
        return;
      }
      const lines = plans.map(
        ({ plan, key, launchVersion }) =>
          `the ${plan} plan is signed by ${key}: launch version ${launchVersion}`,
      );
      printText([...lines, "every material is what its plan says"].join("\n"));
    });
}
