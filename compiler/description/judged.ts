// SPDX-License-Identifier: Apache-2.0
// How a schema and a judge of the same value go together.

import { z } from "zod";
import type { ValueFault } from "./judges.js";

/** A value that `judge` looks at before zod does, so that its fault is told in our own words. */
export function judged<Schema extends z.ZodType>(
  schema: Schema,
  judge: (value: unknown) => ValueFault | undefined,
) {
  return z.preprocess((value: z.input<Schema>, context) => {
    const fault = judge(value);
    if (fault === undefined) return value;
    const path = fault.key === undefined ? [] : [fault.key];
    context.issues.push({ code: "custom", input: value, params: { fault }, path });
    return z.NEVER;
  }, schema);
}
