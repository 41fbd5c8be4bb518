// SPDX-License-Identifier: Apache-2.0
// The ACPI tables of a guest (ACPI 6.5, chapter 5): they say which local APICs it has, one for each
// vCPU, without which Linux has no timer and no second CPU, and nothing of a PC. One run of bytes:
// root pointer, XSDT, MADT, FADT, and a DSDT without any device: what the namespace says of
// processors is for hot-plugging and saving power, which a vCPU does not have.

/** Where every vCPU has its local APIC. */
const LOCAL_APIC = 0xfee00000;

const ROOT_POINTER_BYTES = 36;
const HEADER_BYTES = 36;
const HEADER_CHECKSUM = 9;
const XSDT_REVISION = 1;
const MADT_REVISION = 4;
const LOCAL_APIC_BYTES = 8;
const LOCAL_APIC_ENABLED = 1;
const FADT_REVISION = 5;
const FADT_BYTES = 268;
/** No VGA, no MSI, no real-time clock. */
const FADT_ABSENT = 0x4 | 0x8 | 0x20;
/** WBINVD works; the registers of a PC are not there. */
const FADT_FLAGS = 0x1 | (1 << 20);
const DSDT_REVISION = 2;

const XSDT_BYTES = HEADER_BYTES + 2 * 8;
const MADT_FIRST_ENTRY = HEADER_BYTES + 8;

function madtBytes(vcpus: number): number {
  return MADT_FIRST_ENTRY + vcpus * LOCAL_APIC_BYTES;
}

/** Bytes of the tables for so many vCPUs; they start at a multiple of 16. */
export function acpiBytes(vcpus: number): number {
  return ROOT_POINTER_BYTES + XSDT_BYTES + madtBytes(vcpus) + FADT_BYTES + HEADER_BYTES;
}

/** The tables of a guest that has them at `address`: the root pointer is the first byte. */
export function encodeAcpi(address: number, vcpus: number): Uint8Array {
  const bytes = new Uint8Array(acpiBytes(vcpus));
  const xsdtAt = ROOT_POINTER_BYTES;
  const madtAt = xsdtAt + XSDT_BYTES;
  const fadtAt = madtAt + madtBytes(vcpus);
  const dsdtAt = fadtAt + FADT_BYTES;

  const root = writer(bytes.subarray(0, xsdtAt));
  root.text(0, "RSD PTR ");
  root.text(9, "DOMB");
  root.set8(15, 2);
  root.set32(20, ROOT_POINTER_BYTES);
  root.set64(24, address + xsdtAt);
  // The first checksum is over what ACPI 1.0 had of the root pointer.
  root.set8(8, checksum(bytes.subarray(0, 20)));
  root.set8(32, checksum(bytes.subarray(0, ROOT_POINTER_BYTES)));

  table(bytes.subarray(xsdtAt, madtAt), "XSDT", XSDT_REVISION, (xsdt) => {
    xsdt.set64(HEADER_BYTES, address + fadtAt);
    xsdt.set64(HEADER_BYTES + 8, address + madtAt);
  });
  table(bytes.subarray(madtAt, fadtAt), "APIC", MADT_REVISION, (madt) => {
    madt.set32(HEADER_BYTES, LOCAL_APIC);
    for (let vcpu = 0; vcpu < vcpus; vcpu++) {
      // Of type 0, a local APIC. Linux takes the processor's number for Xen's of the vCPU.
      const at = MADT_FIRST_ENTRY + vcpu * LOCAL_APIC_BYTES;
      madt.set8(at + 1, LOCAL_APIC_BYTES);
      madt.set8(at + 2, vcpu);
      madt.set8(at + 3, localApicId(vcpu));
      madt.set32(at + 4, LOCAL_APIC_ENABLED);
    }
  });
  table(bytes.subarray(fadtAt, dsdtAt), "FACP", FADT_REVISION, (fadt) => {
    fadt.set32(40, address + dsdtAt);
    fadt.set8(109, FADT_ABSENT);
    fadt.set32(112, FADT_FLAGS);
    fadt.set64(140, address + dsdtAt);
  });
  table(bytes.subarray(dsdtAt), "DSDT", DSDT_REVISION, () => undefined);
  return bytes;
}

/** What Xen gives: 254 at most, which an entry of the plain kind still holds. */
function localApicId(vcpu: number): number {
  return vcpu * 2;
}

type Writer = ReturnType<typeof writer>;

function writer(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    text: (offset: number, text: string) => bytes.set(Buffer.from(text), offset),
    set8: (offset: number, value: number) => view.setUint8(offset, value),
    set32: (offset: number, value: number) => view.setUint32(offset, value, true),
    set64: (offset: number, value: number) => view.setBigUint64(offset, BigInt(value), true),
  };
}

/** Fills a table: its header, and what `fill` writes behind it. */
function table(
  bytes: Uint8Array,
  signature: string,
  revision: number,
  fill: (table: Writer) => void,
): void {
  const to = writer(bytes);
  to.text(0, signature);
  to.set32(4, bytes.length);
  to.set8(8, revision);
  to.text(10, "DOMB  DOMB    ");
  to.set32(24, 1);
  to.text(28, "DOMB");
  to.set32(32, 1);
  fill(to);
  to.set8(HEADER_CHECKSUM, checksum(bytes));
}

/** What makes the sum of the bytes 0. */
function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}
