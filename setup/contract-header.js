// SPDX-License-Identifier: Apache-2.0
// A C header from the tables of contract/, for programs of Linux that read what the boot domain
// writes: each constant, each enum with its values, and the words of those enums that people are to
// read. Takes the sources as they are written there: a comment, then a name with its value.

/** A comment on lines of its own, and what is between it and the value's end. */
const member = /\/\*\*\s*([^*]*(?:\*(?!\/)[^*]*)*?)\s*\*\/\s*(\w+) = (\w+),/g;
const enumeration = /export const enum (\w+) \{\n([\s\S]*?)\n\}/g;
const constant = /^export const (\w+) = (\w+);$/gm;

/** @param {string} comment */
function firstWords(comment) {
  const [words = ""] = comment.replaceAll(/\s*\n\s*\*\s*/g, " ").split(";");
  return words.trim();
}

/**
 * The header of these sources; enums named in `told` come with their comments' first words.
 *
 * @param {readonly string[]} sources
 * @param {readonly string[]} told
 */
export function contractHeader(sources, told) {
  const source = sources.join("\n");
  const constants = [...source.matchAll(constant)].map(
    ([, name, value]) => `#define ${name} ${value}\n`,
  );
  const enums = [...source.matchAll(enumeration)].map(([, name = "", body = ""]) => {
    const members = [...body.matchAll(member)];
    const values = members.map(([, , key, value]) => `    ${name}_${key} = ${value},\n`);
    const texts = members.map(
      ([, comment = "", key]) => `    [${name}_${key}] = ${JSON.stringify(firstWords(comment))},\n`,
    );
    const words = `static const char *const ${name}_texts[] = {\n${texts.join("")}};\n`;
    return `enum {\n${values.join("")}};\n${told.includes(name) ? words : ""}`;
  });
  return [...constants, ...enums].join("");
}
