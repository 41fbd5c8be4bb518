// SPDX-License-Identifier: Apache-2.0
// Whom a boot domain trusts: the TrustRecord in an ELF note of its kernel file (contract/trust.ts).
// It is found by the note's name alone, once in the file; nothing else of the file is changed.

import { PUBLIC_KEY_BYTES, TRUST_NOTE, TRUSTED_KEYS, TrustRecord } from "../../contract/trust.js";
import type { Place, Result } from "../diagnostics/diagnostic.js";
import { signatureRules } from "./rules.js";
import type { Trust } from "./sign-image.js";

/** Nobody: the boot domain verifies nothing. */
export const noTrust: Trust = { keys: [], leastLaunchVersion: 0 };

/** The record's bytes. There are TRUSTED_KEYS keys at most. */
export function encodeTrust({ keys, leastLaunchVersion }: Trust): Uint8Array {
  if (keys.length > TRUSTED_KEYS) throw new Error("bug: more keys than a boot domain trusts");
  const record = Buffer.alloc(TrustRecord.size);
  record.writeUInt32LE(leastLaunchVersion, TrustRecord.leastLaunchVersion);
  for (const [index, key] of keys.entries()) {
    record.set(key, TrustRecord.keys + index * PUBLIC_KEY_BYTES);
  }
  return new Uint8Array(record);
}

/** What a record's bytes say. */
export function decodeTrust(record: Uint8Array): Trust {
  const keys = Array.from({ length: TRUSTED_KEYS }, (_, index) => {
    const start = TrustRecord.keys + index * PUBLIC_KEY_BYTES;
    return record.slice(start, start + PUBLIC_KEY_BYTES);
  }).filter((key) => key.some((byte) => byte !== 0));
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const leastLaunchVersion = view.getUint32(TrustRecord.leastLaunchVersion, true);
  return { keys, leastLaunchVersion };
}

/** The note before its record: sizes of name and record, type, name (ELF, "Note Section"). */
const noteHeader = Buffer.from([
  ...[5, 0, 0, 0, TrustRecord.size, 0, 0, 0, TRUST_NOTE, 0, 0, 0],
  ...Buffer.from("domb\0\0\0\0"),
]);

/** Where the record lies in a boot domain's kernel file. */
function recordOffset(bootDomain: Uint8Array, place: Place): Result<number> {
  const file = Buffer.from(bootDomain.buffer, bootDomain.byteOffset, bootDomain.byteLength);
  const note = file.indexOf(noteHeader);
  const start = note + noteHeader.length;
  const once = note !== -1 && file.indexOf(noteHeader, note + 1) === -1;
  if (once && start + TrustRecord.size <= file.length) {
    return { ok: true, value: start, diagnostics: [] };
  }
  const message = "the file has no room for keys to trust, wanted one note of domb's";
  const fix = "Give the boot domain that this domb built.";
  return { ok: false, diagnostics: [signatureRules.diagnose("DOMB5108", { place, message, fix })] };
}

/** The boot domain's file with this record. */
export function withTrust(
  bootDomain: Uint8Array,
  trust: Trust,
  place: Place = {},
): Result<Uint8Array> {
  const offset = recordOffset(bootDomain, place);
  if (!offset.ok) return offset;
  const value = bootDomain.slice();
  value.set(encodeTrust(trust), offset.value);
  return { ok: true, value, diagnostics: [] };
}

/** Whom a boot domain's file trusts. */
export function trustOf(bootDomain: Uint8Array, place: Place = {}): Result<Trust> {
  const offset = recordOffset(bootDomain, place);
  if (!offset.ok) return offset;
  const record = bootDomain.subarray(offset.value, offset.value + TrustRecord.size);
  return { ok: true, value: decodeTrust(record), diagnostics: [] };
}
