// SPDX-License-Identifier: Apache-2.0
// `domb report IMAGE`: the picture of a launch, from the receipt that its boot domain wrote, or as the
// simulator launches it.

import type { Command } from "commander";
import { type DecodedImage, decodeImage } from "../../compiler/image/decode-image.js";
import { defaultXen, xenOf } from "../../compiler/image/xen-versions.js";
import { encodeTrust } from "../../compiler/signature/trust.js";
import { readHostCode } from "../../report/host-code.js";
import { type Report, reportOf } from "../../report/model/report.js";
import { timelineText } from "../../report/terminal/timeline-text.js";
import { asPlanned } from "../../simulator/behaviours.js";
import { simulateLaunch } from "../../simulator/simulate.js";
import type { Receipt } from "../../xen-model/receipt.js";
import { readReceipt } from "../../xen-model/receipt-document.js";
import {
  CommandError,
  checkPolicyOption,
  compileFile,
  isNamedAsDescription,
  printJson,
  printText,
  readBytes,
  take,
} from "../answer.js";
import { repeated, takeTrust } from "../keys.js";
import { writeOutput } from "../output.js";
import { printable } from "../render-diagnostics.js";
import { anyPages, readWasm } from "./simulate.js";

const schema = "domb.report/1";
const answers = (json: boolean) => ({ schema, json });
/** Columns of a timeline where there is no terminal, and the least and the most of one. */
const columns = { default: 100, least: 60, most: 180 };

interface ReportOptions {
  readonly receipt?: string;
  readonly output?: string;
  readonly trust?: readonly string[];
  readonly policy?: string;
  readonly json?: boolean;
}

export function registerReport(program: Command): void {
  program
    .command("report")
    .summary("draw a launch from its receipt")
    .description(
      "Draws a launch: its timeline and critical path, order, memory, privileges, trusted computing bases and materials, and what went wrong. As text in the terminal, or as one HTML file that loads nothing.",
    )
    .argument("<image>", "a launch image, launch.yaml or launch.ts")
    .option("--receipt <file>", "the launch's receipt (default: the simulator launches the image)")
    .option("-o, --output <file>", "write the HTML file")
    .option("--trust <file>", "public key that the simulated boot domain trusts", repeated)
    .option("--policy <file>", "FLASK policy of the simulated host, if an image is for one")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      [
        "\nExamples:",
        "  domb report launch.img",
        "  domb report launch.img --receipt receipt.json -o report.html",
      ].join("\n"),
    )
    .action(report);
}

async function report(path: string, options: ReportOptions): Promise<void> {
  const { output, json = false } = options;
  const bytes = isNamedAsDescription(path)
    ? take(await compileFile(path), answers(json))?.image
    : await readBytes(path);
  if (bytes === undefined) return;
  const image = take(decodeImage(bytes, { file: path }), answers(json));
  if (image === undefined) return;
  const receipt =
    options.receipt === undefined
      ? await simulatedReceipt(path, bytes, image, options)
      : await receiptIn(options.receipt);
  if (receipt === undefined) return;
  const made = reportOf({
    ...{ imageFile: path, image, receipt },
    simulatorOptions: simulatorOptions(image, options),
    source: options.receipt === undefined ? "simulator" : "receipt",
    hostCode: await readHostCode(
      xenOf(image.header.xenInterface) ?? defaultXen,
      image.architecture,
    ),
  });
  if (!made.ok) {
    const message = `${options.receipt ?? "the receipt"} is not of ${path}: ${made.problem}`;
    throw new CommandError("DOMB6032", message, "Give the image that was booted.");
  }
  if (output !== undefined) await writePage(output, made.report, path, options);
  if (json) {
    const { schema: _, ...document } = made.report;
    printJson(schema, document);
  } else if (output === undefined) {
    printText(terminalText(made.report));
  } else {
    printText(`${output} is written`);
  }
}

/** What the simulator must be given for the image; what is not known here has a name in capitals. */
function simulatorOptions(
  { header, plan }: DecodedImage,
  { trust = [], policy }: ReportOptions,
): readonly string[] {
  const keys = trust.length === 0 && header.verify === "all" ? ["KEY.pub"] : trust;
  const policies = policy === undefined && plan.policyBytes !== 0 ? ["POLICY"] : [policy];
  return [
    ...keys.flatMap((file) => ["--trust", file]),
    ...policies.flatMap((file) => (file === undefined ? [] : ["--policy", file])),
  ];
}

async function receiptIn(path: string): Promise<Receipt> {
  const read = readReceipt(Buffer.from(await readBytes(path)).toString("utf8"));
  if (read.ok) return read.receipt;
  const fix = "Give the file that `domb boot --receipt` wrote.";
  throw new CommandError("DOMB6031", `${path} is no receipt: ${read.problem}`, fix);
}

/** The receipt of the simulator's launch; undefined, and said why, where keys are wrong. */
async function simulatedReceipt(
  path: string,
  bytes: Uint8Array,
  image: DecodedImage,
  { trust = [], policy: policyPath, json = false }: ReportOptions,
): Promise<Receipt | undefined> {
  if (image.header.verify === "all" && trust.length === 0) {
    const fix = "Give its owner's public key with --trust, or the launch's receipt with --receipt.";
    throw new CommandError("DOMB6001", `${path} is to be verified, and no key is trusted`, fix);
  }
  const trusted = await takeTrust({ trust }, answers(json));
  if (trusted === undefined) return undefined;
  const policy = policyPath === undefined ? undefined : await readBytes(policyPath);
  checkPolicyOption(path, image.plan, policy);
  const { header, plan, recovery } = image;
  const { receipt } = simulateLaunch(bytes, {
    ...{ wasm: await readWasm(), machine: header.machine, freePages: anyPages, policy },
    trust: encodeTrust(trusted.trust),
    behaviourOf: asPlanned(plan, ...(recovery === undefined ? [] : [recovery.plan])),
  });
  return receipt;
}

/** Charts take a while to load, and nobody else needs them. */
async function writePage(
  output: string,
  made: Report,
  path: string,
  { receipt, trust = [], policy }: ReportOptions,
): Promise<void> {
  const { reportPage } = await import("../../report/page/page.js");
  const sources = [path, receipt, policy, ...trust].filter((source) => source !== undefined);
  await writeOutput(output, Buffer.from(await reportPage(made)), sources);
}

/** The timeline, of which nothing reaches the terminal as a control character. */
function terminalText(made: Report): string {
  const wanted = process.stdout.columns ?? columns.default;
  const width = Math.min(Math.max(wanted, columns.least), columns.most);
  return timelineText(made, width).split("\n").map(printable).join("\n");
}
