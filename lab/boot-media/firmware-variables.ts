// SPDX-License-Identifier: Apache-2.0
// The variables of EDK2's firmware (OVMF, and AAVMF for arm64) with one's own key enrolled, as its
// setup menu would leave them: written into the variable store that Debian's package has. Leaves out reading, and
// stores that hold something already.

/** GUIDs in their form in memory. */
function guid(text: string): Buffer {
  const [a = "", b = "", c = "", ...rest] = text.split("-");
  const turned = [a, b, c].map((part) => Buffer.from(part, "hex").reverse());
  return Buffer.concat([...turned, Buffer.from(rest.join(""), "hex")]);
}

const globalVariable = guid("8be4df61-93ca-11d2-aa0d-00e098032b8c");
const imageSecurity = guid("d719b2cb-3d3a-4596-a3bc-dad00e67656f");
const secureBootEnable = guid("f0a30bc7-af08-4556-99c4-001009c93a44");
const x509 = guid("a5c059a1-94e4-4aa7-87b5-ab155c2bf072");
/** Whose keys these are: any GUID serves. */
const owner = guid("d6d06d31-6f34-4b8e-9d5c-5b8f0a3b0c11");
const authenticatedStore = guid("aaf32c78-947b-439a-a180-2e144ec37792");

const NON_VOLATILE = 1;
const BOOT_SERVICE = 2;
const RUNTIME = 4;
const TIME_BASED_AUTHENTICATION = 0x20;

const STORE_HEADER_BYTES = 28;
const VARIABLE_HEADER_BYTES = 60;

export interface FirmwareVariable {
  readonly name: string;
  readonly vendor: Buffer;
  readonly attributes: number;
  readonly data: Uint8Array;
}

function encodeVariable({ name, vendor, attributes, data }: FirmwareVariable): Buffer {
  const nameBytes = Buffer.from(`${name}\0`, "utf16le");
  const header = Buffer.alloc(VARIABLE_HEADER_BYTES);
  header.writeUInt16LE(0x55aa, 0);
  // Added, and neither in transition nor deleted.
  header.writeUInt8(0x3f, 2);
  header.writeUInt32LE(attributes, 4);
  // Year, month and day of an authenticated variable; any past one serves.
  if ((attributes & TIME_BASED_AUTHENTICATION) !== 0) {
    header.writeUInt16LE(2020, 16);
    header.writeUInt8(1, 18);
    header.writeUInt8(1, 19);
  }
  header.writeUInt32LE(nameBytes.length, 36);
  header.writeUInt32LE(data.length, 40);
  vendor.copy(header, 44);
  const whole = Buffer.concat([header, nameBytes, data]);
  const padding = Buffer.alloc((4 - (whole.length % 4)) % 4, 0xff);
  return Buffer.concat([whole, padding]);
}

/** A list of signatures with one certificate. */
function signatureList(certificate: Uint8Array): Buffer {
  const header = Buffer.alloc(12);
  const entryBytes = owner.length + certificate.length;
  header.writeUInt32LE(x509.length + header.length + entryBytes, 0);
  header.writeUInt32LE(entryBytes, 8);
  return Buffer.concat([x509, header, owner, certificate]);
}

/** Secure Boot switched on, with a certificate (DER) as platform key, exchange key and database. */
export function secureBootVariables(certificate: Uint8Array): readonly FirmwareVariable[] {
  const attributes = NON_VOLATILE | BOOT_SERVICE | RUNTIME | TIME_BASED_AUTHENTICATION;
  const data = signatureList(certificate);
  return [
    { name: "db", vendor: imageSecurity, attributes, data },
    { name: "KEK", vendor: globalVariable, attributes, data },
    { name: "PK", vendor: globalVariable, attributes, data },
    {
      name: "SecureBootEnable",
      vendor: secureBootEnable,
      attributes: NON_VOLATILE | BOOT_SERVICE,
      data: Buffer.of(1),
    },
  ];
}

/**
 * A boot entry that starts `path` of any disk with these load options: first in the order, or for
 * the next start alone.
 */
export function bootEntryVariables(
  path: string,
  loadOptions: string,
  choice: "BootOrder" | "BootNext" = "BootOrder",
): readonly FirmwareVariable[] {
  const number = choice === "BootOrder" ? 7 : 8;
  const node = (type: number, subtype: number, content: Buffer): Buffer => {
    const header = Buffer.of(type, subtype, 0, 0);
    header.writeUInt16LE(header.length + content.length, 2);
    return Buffer.concat([header, content]);
  };
  const file = node(4, 4, Buffer.from(`${path.replaceAll("/", "\\")}\0`, "utf16le"));
  const filePath = Buffer.concat([file, node(0x7f, 0xff, Buffer.alloc(0))]);
  const active = Buffer.of(1, 0, 0, 0, 0, 0);
  active.writeUInt16LE(filePath.length, 4);
  const texts = ["domb entry\0", `${loadOptions}\0`].map((text) => Buffer.from(text, "utf16le"));
  const [description = Buffer.alloc(0), options = Buffer.alloc(0)] = texts;
  const entry = { vendor: globalVariable, attributes: NON_VOLATILE | BOOT_SERVICE | RUNTIME };
  return [
    {
      ...entry,
      name: `Boot000${number}`,
      data: Buffer.concat([active, description, filePath, options]),
    },
    { ...entry, name: choice, data: Buffer.of(number, 0) },
  ];
}

/** A copy of a variable store without what it holds. */
export function emptiedStore(filled: Uint8Array): Buffer {
  const store = Buffer.from(filled);
  const start = store.indexOf(authenticatedStore);
  if (start < 0) throw new Error("no store of authenticated variables");
  return store.fill(0xff, start + STORE_HEADER_BYTES, start + store.readUInt32LE(start + 16));
}

/** A copy of an empty variable store that holds these. Throws if it is no empty one. */
export function fillVariableStore(
  empty: Uint8Array,
  variables: readonly FirmwareVariable[],
): Buffer {
  const store = Buffer.from(empty);
  const start = store.indexOf(authenticatedStore);
  const content = Buffer.concat(variables.map(encodeVariable));
  const at = start + STORE_HEADER_BYTES;
  const room =
    start < 0 ? Buffer.alloc(0) : store.subarray(at, start + store.readUInt32LE(start + 16));
  if (content.length > room.length || room.some((byte) => byte !== 0xff)) {
    throw new Error("no empty store of authenticated variables");
  }
  content.copy(store, at);
  return store;
}
