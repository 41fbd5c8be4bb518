// SPDX-License-Identifier: Apache-2.0
// Writes launch.schema.json, the published JSON Schema that editors and other tools read. Run as
// `node dist/compiler/description/generate-schema.js`.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { paths } from "../../setup/paths.js";
import { launchSchema } from "./schema.js";

/** Where the committed generation lies. */
export const schemaPath = join(paths.checkout, "compiler", "description", "launch.schema.json");

/** The text of launch.schema.json: what a person may write, defaults left out. */
export function generateSchema(): string {
  const schema = z.toJSONSchema(launchSchema, {
    io: "input",
    // zod leaves out the default of a value that is judged before it.
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema instanceof z.ZodDefault)
        jsonSchema.default = zodSchema.def.defaultValue as never;
    },
  });
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await writeFile(schemaPath, generateSchema());
}
