// SPDX-License-Identifier: Apache-2.0
// From guests to a whole image: the recovery plan, if there is one, and behind it the main plan.

import { HEADERS_END } from "../../contract/image.js";
import {
  makePlan,
  type PlannedGuest,
  type PlannedLaunch,
  type PlanSetting,
} from "../plan/make-plan.js";
import { encodeImage, encodeRecovery, type PlanTarget } from "./encode-image.js";

export interface AssembledImage {
  readonly main: PlannedLaunch;
  readonly recovery: PlannedLaunch | undefined;
  /** Not signed. */
  readonly image: Uint8Array;
  /** Where the main plan begins in the image, bytes. */
  readonly mainStart: number;
}

/** What an image is assembled for. */
export interface ImageSetting {
  readonly policy?: PlanSetting["policy"];
  readonly target: PlanTarget;
  /** Of the recovery plan; default: the same. */
  readonly recoveryTarget?: PlanTarget | undefined;
  /** The recovery part as it is to stay; default: it is made anew. */
  readonly kept?: Uint8Array | undefined;
}

/** Plans the guests of both plans, and puts the image together. */
export function assembleImage(
  guests: { readonly main: readonly PlannedGuest[]; readonly recovery: readonly PlannedGuest[] },
  { policy, target, recoveryTarget = target, kept }: ImageSetting,
): AssembledImage {
  const bytesOf = ({ materials }: PlannedLaunch) => materials.map(({ bytes }) => bytes);
  const recovery = guests.recovery.length === 0 ? undefined : makePlan(guests.recovery, { policy });
  const before =
    kept ?? (recovery && encodeRecovery(recovery.plan, bytesOf(recovery), recoveryTarget));
  const mainStart = before?.length ?? HEADERS_END;
  const main = makePlan(guests.main, { policy, start: mainStart, recovery: recovery?.plan });
  const image = encodeImage(main.plan, bytesOf(main), { ...target, recovery: before });
  return { main, recovery, image, mainStart };
}
