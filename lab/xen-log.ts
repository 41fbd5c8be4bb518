// SPDX-License-Identifier: Apache-2.0
// One line of Xen's log on the serial port, as `console_timestamps=raw` prints it: who wrote it,
// the host's counter when the line began, and the text. A domain's own lines carry its domid
// before the stamp, and no domain can write a line that begins like one of Xen's.

/** A line of the log; `ticks` is the host's counter: x86's time-stamp counter, arm64's CNTPCT. */
export interface LogLine {
  readonly from: "xen" | { readonly domid: number };
  readonly ticks: number;
  readonly text: string;
}

const stamped = /^\((XEN|d(\d+))\) \[([0-9a-f]{16})\] ?(.*)$/;

/** Of x86's time-stamp counter in MHz, of arm64's in kHz. */
const frequency = /^(?:Detected ([\d.]+) MHz processor|Generic Timer IRQ: .* Freq: (\d+) KHz)/;

/** Ticks of the host's counter in a microsecond, if this text of Xen tells them. */
export function readFrequency(text: string): number | undefined {
  const match = frequency.exec(text);
  if (match === null) return undefined;
  const [, megahertz, kilohertz] = match;
  return Number(megahertz ?? Number(kilohertz) / 1000);
}

/** The line's parts; undefined for what has no stamp, as the boot loader's output. */
export function parseLogLine(line: string): LogLine | undefined {
  const match = stamped.exec(line.replace(/\r+$/, ""));
  if (match === null) return undefined;
  const [, who, domid, ticks, text] = match;
  return {
    from: who === "XEN" ? "xen" : { domid: Number(domid) },
    ticks: Number.parseInt(ticks ?? "0", 16),
    text: text ?? "",
  };
}

/** The line as Xen would print it; the inverse of parseLogLine. */
export function formatLogLine({ from, ticks, text }: LogLine): string {
  const who = from === "xen" ? "XEN" : `d${from.domid}`;
  return `(${who}) [${ticks.toString(16).padStart(16, "0")}] ${text}`;
}
