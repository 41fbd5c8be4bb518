// SPDX-License-Identifier: Apache-2.0
// Lines of printable ASCII for Xen's console, put together in LINE. A line that would not fit is
// cut: every text here is far shorter.

import { LINE, LINE_BYTES } from "./memory";
import { consoleWrite } from "./xen";

let length: u32 = 0;

/** Adds one character, if the line's end still fits behind it. */
export function writeCharacter(character: u8): void {
  if (length < LINE_BYTES - 1) {
    store<u8>(LINE + length, character);
    length++;
  }
}

/** Adds a text of the boot domain's own. */
export function writeText(text: string): void {
  for (let index: u32 = 0; index < <u32>text.length; index++) {
    writeCharacter(load<u8>(changetype<usize>(text) + (index << 1)));
  }
}

/** Adds the characters at `address` up to the first zero byte. */
export function writeName(address: u32): void {
  while (load<u8>(address) != 0) {
    writeCharacter(load<u8>(address));
    address++;
  }
}

/** Adds a text and a number in decimal. */
export function writeNumber(text: string, value: u64): void {
  writeText(text);
  let unit: u64 = 1;
  while (value / unit >= 10) unit *= 10;
  while (unit != 0) {
    writeCharacter(<u8>(48 + ((value / unit) % 10)));
    unit /= 10;
  }
}

/** Adds bytes as hexadecimal digits. */
export function writeHexadecimal(address: u32, bytes: u32): void {
  for (let half: u32 = 0; half < bytes * 2; half++) {
    const byte = load<u8>(address + (half >> 1));
    const digit: u8 = (half & 1) == 0 ? byte >> 4 : byte & 15;
    writeCharacter(digit < 10 ? 48 + digit : 87 + digit);
  }
}

/** Ends the line and shows it. */
export function endLine(): void {
  store<u8>(LINE + length, 10);
  consoleWrite(LINE, length + 1);
  length = 0;
}
