// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { MAX_DOMAINS, MAX_DOMID, MAX_VCPUS } from "../../contract/limits.js";
import { generateSchema, schemaPath } from "./generate-schema.js";

describe("the published JSON Schema", () => {
  it("is what a fresh generation gives", async () => {
    expect(await readFile(schemaPath, "utf8")).toBe(generateSchema());
  });

  it("has the limits of the contract, and asks for what has no default", () => {
    const { required, properties, additionalProperties } = JSON.parse(generateSchema());
    expect(required).toEqual(["domb", "domains"]);
    expect(additionalProperties).toBe(false);
    expect(properties.domains).toMatchObject({ minProperties: 1, maxProperties: MAX_DOMAINS });
    const domain = properties.domains.additionalProperties;
    expect(domain.required).toEqual(["kernel", "memory"]);
    expect(domain.properties.domid).toMatchObject({ minimum: 0, maximum: MAX_DOMID });
    expect(domain.properties.vcpus).toMatchObject({ minimum: 1, maximum: MAX_VCPUS, default: 1 });
    expect(domain.properties.ready.properties.when.enum).toEqual([
      ...["started", "signalled", "finished"],
    ]);
    const kinds = properties.links.items.oneOf;
    expect(kinds.map((kind: { required: string[] }) => kind.required)).toEqual([
      ["kind", "name", "between"],
      ["kind", "name", "size", "writers"],
    ]);
    expect(new RegExp(domain.properties.memory.pattern).test("64 MB")).toBe(false);
    expect(new RegExp(domain.properties.memory.pattern).test("64 MiB")).toBe(true);
  });
});
