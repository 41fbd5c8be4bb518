// SPDX-License-Identifier: Apache-2.0
// A typed description of a binary record, from which its bytes and its text are both made and
// read. Reading never throws: every byte pattern has a value, or a fault that names the field.

import { DIGEST_BYTES } from "../../contract/limits.js";

/** One field of a record: how it stands in bytes and in text. */
export interface Field<Value> {
  readonly offset: number;
  readonly bytes: number;
  write(target: Buffer, value: Value): void;
  /** The value, or what is wrong with the bytes. */
  read(source: Buffer): Value | RecordFault;
  format(value: Value): string;
  parse(text: string): Value | RecordFault;
}

/** What is wrong with a record's bytes or text. */
export class RecordFault {
  constructor(
    readonly found: string,
    readonly wanted: string,
  ) {}
}

// biome-ignore lint/suspicious/noExplicitAny: a table of fields with different values
type Fields = Readonly<Record<string, Field<any>>>;
type FieldValue<F> = F extends Field<infer Value> ? Value : never;
export type RecordValue<F extends Fields> = { readonly [Name in keyof F]: FieldValue<F[Name]> };

export interface RecordLayout<F extends Fields> {
  readonly size: number;
  readonly fields: F;
}

/** Describes a record of `size` bytes; bytes of no field are zero. */
export function describeRecord<const F extends Fields>(size: number, fields: F): RecordLayout<F> {
  return { size, fields };
}

/** An unsigned 32-bit number; in text decimal. */
export function number32(offset: number): Field<number> {
  return {
    offset,
    bytes: 4,
    write: (target, value) => void target.writeUInt32LE(value, offset),
    read: (source) => source.readUInt32LE(offset),
    format: (value) => String(value),
    parse: (text) => {
      const value = Number(text);
      const fits = /^\d+$/.test(text) && value <= 0xffffffff;
      return fits ? value : new RecordFault(text, "a number below 2^32");
    },
  };
}

/** An unsigned 32-bit number that stands for one of `names`. */
export function choice<const Name extends string>(
  offset: number,
  names: Readonly<Record<Name, number>>,
): Field<Name> {
  const table = Object.entries(names) as [Name, number][];
  const wanted = table.map(([name, value]) => `${name} (${value})`).join(", ");
  return {
    offset,
    bytes: 4,
    write: (target, value) => void target.writeUInt32LE(names[value], offset),
    read: (source) => {
      const found = source.readUInt32LE(offset);
      const entry = table.find(([, value]) => value === found);
      return entry === undefined ? new RecordFault(String(found), `one of ${wanted}`) : entry[0];
    },
    format: (value) => value,
    parse: (text) => {
      const entry = table.find(([name]) => name === text);
      return entry === undefined ? new RecordFault(text, `one of ${wanted}`) : entry[0];
    },
  };
}

/** Printable ASCII without spaces, `least` characters or more, at least one zero byte behind it. */
export function text(offset: number, bytes: number, least = 0): Field<string> {
  const wanted = `${least} to ${bytes - 1} printable characters without spaces`;
  const check = (value: string) =>
    /^[!-~]*$/.test(value) && value.length >= least && value.length < bytes
      ? value
      : new RecordFault(JSON.stringify(value), wanted);
  return {
    offset,
    bytes,
    write: (target, value) => {
      target.fill(0, offset, offset + bytes);
      target.write(value, offset, "latin1");
    },
    read: (source) => check(source.toString("latin1", offset, offset + bytes).replace(/\0+$/, "")),
    format: (value) => value,
    parse: check,
  };
}

/** A SHA-256 digest; its value is 64 lower-case hexadecimal digits. */
export function digest(offset: number): Field<string> {
  return {
    offset,
    bytes: DIGEST_BYTES,
    write: (target, value) => void target.write(value, offset, "hex"),
    read: (source) => source.toString("hex", offset, offset + DIGEST_BYTES),
    format: (value) => value,
    parse: (text) =>
      /^[0-9a-f]{64}$/.test(text) ? text : new RecordFault(text, "64 hexadecimal digits"),
  };
}

/** A record's bytes. */
export function encodeRecord<F extends Fields>(
  layout: RecordLayout<F>,
  value: RecordValue<F>,
): Buffer {
  const bytes = Buffer.alloc(layout.size);
  for (const [key, field] of Object.entries(layout.fields)) field.write(bytes, value[key]);
  return bytes;
}

/** A record of `bytes`, which are as many as its size, or the fields at fault. */
export function decodeRecord<F extends Fields>(
  layout: RecordLayout<F>,
  bytes: Buffer,
): Decoded<RecordValue<F>> {
  const decoded = collect(layout, (_, field) => field.read(bytes));
  if (!decoded.ok) return decoded;
  const unused = Buffer.from(bytes);
  for (const { offset, bytes: length } of Object.values(layout.fields)) {
    unused.fill(0, offset, offset + length);
  }
  const stray = unused.findIndex((byte) => byte !== 0);
  if (stray === -1) return decoded;
  const fault = new RecordFault(`0x${unused[stray]?.toString(16)} at byte ${stray}`, "zero");
  return { ok: false, faults: [["reserved", fault]] };
}

/** A record as text: `name=value` for each field. */
export function formatRecord<F extends Fields>(
  layout: RecordLayout<F>,
  value: RecordValue<F>,
): string {
  return Object.entries(layout.fields)
    .map(([key, field]) => `${key}=${field.format(value[key])}`)
    .join(" ");
}

/** A record of the text that formatRecord makes, or the fields at fault. */
export function parseRecord<F extends Fields>(
  layout: RecordLayout<F>,
  text: string,
): Decoded<RecordValue<F>> {
  const words = text.split(" ").filter((word) => word !== "");
  const given = new Map(words.map((word) => splitAt(word, word.indexOf("="))));
  const stray = [...given.keys()].find((key) => !Object.hasOwn(layout.fields, key));
  if (stray !== undefined || given.size !== words.length) {
    const keys = Object.keys(layout.fields).join(", ");
    return { ok: false, faults: [["text", new RecordFault(text, `each of ${keys} once`)]] };
  }
  return collect(layout, (key, field) => {
    const word = given.get(key);
    return word === undefined ? new RecordFault("absent", "a value") : field.parse(word);
  });
}

export type Decoded<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly faults: readonly (readonly [string, RecordFault])[] };

function collect<F extends Fields>(
  layout: RecordLayout<F>,
  read: (key: string, field: Field<unknown>) => unknown,
): Decoded<RecordValue<F>> {
  const values = Object.entries(layout.fields).map(
    ([key, field]) => [key, read(key, field)] as const,
  );
  const faults = values.flatMap(([key, value]) =>
    value instanceof RecordFault ? [[key, value] as const] : [],
  );
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, value: Object.fromEntries(values) as RecordValue<F> };
}

function splitAt(word: string, index: number): readonly [string, string] {
  return index < 0 ? [word, ""] : [word.slice(0, index), word.slice(index + 1)];
}
