// SPDX-License-Identifier: Apache-2.0
// Accepts a plan's signature: whose it must be is in the boot domain's own file, where no image can
// change it. Without a trusted key a plan runs that asks for no verification.

import { ImageHeader, VERIFY_NONE } from "../../contract/image";
import { LaunchStatus, ReceiptHeader } from "../../contract/receipt";
import {
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
  SIGNATURE_CONTEXT,
  TRUSTED_KEYS,
  TrustRecord,
} from "../../contract/trust";
import { imageRead, trustRead } from "./machine";
import { HASHED, HEADER, headerField, SIGNATURE, TRUST } from "./memory";
import { setReceiptField } from "./receipt";
import { signatureIsOf } from "./slh-dsa";

/** Whether the plan of the header in HEADER, which lies at `offset` in the image, may run. */
export function acceptSignature(offset: u32): LaunchStatus {
  let status = LaunchStatus.signature;
  if (headerField(ImageHeader.verify) == VERIFY_NONE) status = LaunchStatus.success;
  trustRead(TRUST);
  imageRead(offset + <u32>ImageHeader.size, SIGNATURE, SIGNATURE_BYTES);
  for (let number: u32 = 1; number <= <u32>TRUSTED_KEYS; number++) {
    const key = TRUST + <u32>TrustRecord.keys + (number - 1) * PUBLIC_KEY_BYTES;
    if (!isKey(key)) continue;
    status = LaunchStatus.signature;
    if (!headerIsSignedBy(key)) continue;
    const least = load<u32>(TRUST + <u32>TrustRecord.leastLaunchVersion);
    if (headerField(ImageHeader.launchVersion) < least) return LaunchStatus.launchVersion;
    setReceiptField(ReceiptHeader.verifiedBy, number);
    return LaunchStatus.success;
  }
  return status;
}

/** Whether there is a key: bytes that are not all zero. */
function isKey(key: u32): bool {
  return (load<u64>(key) | load<u64>(key, 8) | load<u64>(key, 16) | load<u64>(key, 24)) != 0;
}

/** FIPS 205, algorithm 24: whether SIGNATURE is this key's, of the header with its context. */
function headerIsSignedBy(key: u32): bool {
  const message = HASHED + 64;
  let end = message + 2;
  store<u8>(message, 0);
  store<u8>(message, <u8>SIGNATURE_CONTEXT.length, 1);
  for (let index: u32 = 0; index < <u32>SIGNATURE_CONTEXT.length; index++) {
    store<u8>(end, load<u8>(changetype<usize>(SIGNATURE_CONTEXT) + (index << 1)));
    end++;
  }
  for (let field: u32 = 0; field < <u32>ImageHeader.size; field += 4) {
    store<u32>(end, load<u32>(HEADER + field));
    end += 4;
  }
  return signatureIsOf(key, message, end - message);
}
