// SPDX-License-Identifier: Apache-2.0
// How a timeline's time lies on paper: evenly, or with the waits folded.

import type { Run } from "../../model/report.js";
import type { Span } from "../../model/timeline.js";
import { formatTime, timeMarks } from "../../units.js";

export interface TimeAxis {
  /** Times, and where each lies: from one to the next time runs evenly. */
  readonly times: readonly number[];
  readonly places: readonly number[];
  /** Where there is a line, and what stands over it. */
  readonly marks: readonly { readonly place: number; readonly text: string }[];
  readonly folds: readonly Span[];
}

/** Room of a fold, and of a label with some air around it. */
const FOLD = 40;
const LABEL = 100;
/** Waits that take more of a launch than this hide the work between them. */
const MOST_WAITED = 0.7;

/** An axis of the whole time, so wide. */
export function evenAxis({ timeline: { durationNs } }: Run, width: number): TimeAxis {
  const marks = timeMarks(durationNs).map((at) => ({
    place: durationNs === 0 ? 0 : (at / durationNs) * width,
    text: at === 0 ? "0" : formatTime(at),
  }));
  return { times: [0, Math.max(durationNs, 1)], places: [0, width], marks, folds: [] };
}

/** An axis on which each wait is as wide as any other; undefined where they don't hide the work. */
export function foldedAxis({ timeline }: Run, width: number): TimeAxis | undefined {
  const { waits, durationNs } = timeline;
  const waited = waits.reduce((sum, { beganNs, endedNs }) => sum + endedNs - beganNs, 0);
  if (waited < durationNs * MOST_WAITED || waited === durationNs) return undefined;
  const fold = Math.min(FOLD, width / 2 / waits.length);
  const scale = (width - fold * waits.length) / (durationNs - waited);
  const [times, places] = [[0], [0]];
  let [time, place] = [0, 0];
  const advance = (to: number, room: number): void => {
    place += room;
    time = to;
    times.push(time);
    places.push(place);
  };
  const labels: { place: number; text: string }[] = [];
  for (const { beganNs, endedNs } of waits) {
    advance(beganNs, (beganNs - time) * scale);
    labels.push({ place: place + fold / 2, text: `waits ${formatTime(endedNs - beganNs)}` });
    advance(endedNs, fold);
  }
  advance(durationNs, (durationNs - time) * scale);
  return { times, places, marks: apart(labels), folds: waits };
}

/** Labels that don't overlap: those that would are left out. */
function apart<Label extends { readonly place: number }>(labels: readonly Label[]): Label[] {
  let free = Number.NEGATIVE_INFINITY;
  return labels.filter(({ place }) => {
    if (place < free) return false;
    free = place + LABEL;
    return true;
  });
}
