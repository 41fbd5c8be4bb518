// SPDX-License-Identifier: Apache-2.0
// The receipt as Xen keeps it (struct xen_boot_domain_receipt, xen/include/public/boot_domain.h):
// Xen's own stamps, then the boot domain's receipt.

import * as abi from "../contract/xen-abi.js";
import { decodeReceipt, type Receipt } from "../xen-model/receipt.js";

/** What Xen knows of one domain; times in nanoseconds since the host was started. */
export interface DomainStamp {
  readonly domid: number;
  readonly createdNs: number;
  readonly startedNs: number;
  readonly flags: number;
  /** The SID of its label; 0 without XSM. */
  readonly label: number;
}

export interface KeptReceipt {
  readonly status: number;
  readonly beganNs: number;
  readonly endedNs: number;
  /** Privileges that nobody can have. */
  readonly dropped: number;
  /** Whether devices could access memory during the launch. */
  readonly dmaOpen: boolean;
  readonly domains: readonly DomainStamp[];
  /** What the boot domain said of itself. */
  readonly own: Receipt;
}

/** Decodes what XEN_BOOT_DOMAIN_receipt gave. */
export function decodeKeptReceipt(bytes: Uint8Array): KeptReceipt {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (offset: number): number => view.getUint32(offset, true);
  const u64 = (offset: number): number => Number(view.getBigUint64(offset, true));
  const count = u32(abi.xen_boot_domain_receipt_nr_domains_offset);
  const end = abi.xen_boot_domain_receipt_size + count * abi.xen_boot_domain_stamp_size;
  const flags = u32(abi.xen_boot_domain_receipt_flags_offset);
  return {
    status: u32(abi.xen_boot_domain_receipt_status_offset),
    beganNs: u64(abi.xen_boot_domain_receipt_began_offset),
    endedNs: u64(abi.xen_boot_domain_receipt_ended_offset),
    dropped: u32(abi.xen_boot_domain_receipt_dropped_offset),
    dmaOpen: (flags & abi.XEN_BOOT_DOMAIN_RECEIPT_dma) !== 0,
    domains: Array.from({ length: count }, (_, index) => {
      const at = abi.xen_boot_domain_receipt_size + index * abi.xen_boot_domain_stamp_size;
      return {
        domid: u32(at + abi.xen_boot_domain_stamp_domid_offset),
        createdNs: u64(at + abi.xen_boot_domain_stamp_created_offset),
        startedNs: u64(at + abi.xen_boot_domain_stamp_started_offset),
        flags: u32(at + abi.xen_boot_domain_stamp_flags_offset),
        label: u32(at + abi.xen_boot_domain_stamp_ssidref_offset),
      };
    }),
    own: decodeReceipt(Buffer.from(bytes.subarray(end))),
  };
}
