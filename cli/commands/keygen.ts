// SPDX-License-Identifier: Apache-2.0
// `domb keygen NAME`: makes a key pair, and never writes over one.

import { randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import type { Command } from "commander";
import {
  formatPublicKey,
  formatSecretKey,
  makeSecretKey,
  publicKeyOf,
  SEED_BYTES,
} from "../../compiler/signature/keys.js";
import { CommandError, printJson, printText } from "../answer.js";
import { unwritable } from "../output.js";

const schema = "domb.keygen/1";

export function registerKeygen(program: Command): void {
  program
    .command("keygen")
    .summary("make a key pair that signs launches")
    .description(
      "Makes a key pair of SLH-DSA-SHA2-128s: NAME.key, which only this user may read, and NAME.pub. Never writes over a file.",
    )
    .argument("<name>", "where to write them, without .key and .pub")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExamples:\n  domb keygen owner\n  domb keygen /media/safe/owner")
    .action(async (name: string, { json = false }: { json?: boolean }) => {
      const [secretPath, publicPath] = [`${name}.key`, `${name}.pub`];
      const secret = makeSecretKey(randomBytes(SEED_BYTES));
      const publicKey = publicKeyOf(secret);
      await writeNew(publicPath, formatPublicKey(publicKey), 0o644);
      try {
        await writeNew(secretPath, formatSecretKey(secret), 0o600);
      } catch (error) {
        await rm(publicPath);
        throw error;
      }
      const hexadecimal = Buffer.from(publicKey).toString("hex");
      if (json) {
        printJson(schema, { ok: true, secretPath, publicPath, publicKey: hexadecimal });
        return;
      }
      printText(
        [
          `${secretPath}  signs launches: keep it off the hosts, and keep a copy`,
          `${publicPath}  verifies them: domb trust --key ${publicPath}`,
          `public key ${hexadecimal}`,
        ].join("\n"),
      );
    });
}

/** Writes a file that is not there yet. */
async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    const file = await open(path, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (code !== "EEXIST") throw unwritable(path, code);
    const fix = "Give another name; a key that is lost can't be made again.";
    throw new CommandError("DOMB6003", `${path} is there already`, fix);
  }
}
