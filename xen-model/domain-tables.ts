// SPDX-License-Identifier: Apache-2.0
// The tables that Xen keeps of a domain's event channels and grants: how many pages they take, and
// how large those of grants may be, which Xen limits for every domain and its command line raises
// (opt_max_grant_frames and opt_max_maptrack_frames, xen/common/grant_table.c).

/** Entries of version 1 in a frame of a grant table. */
export const ENTRIES_PER_FRAME = 512;
/** `struct active_grant_entry`, xen/common/grant_table.c: so many in a page. */
const ACTIVE_ENTRIES_PER_PAGE = 102;
/** EVTCHNS_PER_BUCKET, xen/include/xen/sched.h: ports that a page holds. */
export const PORTS_PER_PAGE = 64;

/** Pages of a grant table with so many frames. */
export function grantTablePages(frames: number): number {
  return frames + Math.ceil((frames * ENTRIES_PER_FRAME) / ACTIVE_ENTRIES_PER_PAGE);
}

/** The most frames that a domain's tables may have, of grants and of mappings. */
export interface GrantLimits {
  readonly grantFrames: number;
  readonly maptrackFrames: number;
}

/** What Xen allows unless it is told otherwise. */
export const DEFAULT_GRANT_LIMITS: GrantLimits = { grantFrames: 64, maptrackFrames: 1024 };

/** The limits with which Xen creates these domains: its own, or higher ones. */
export function grantLimitsFor(
  domains: readonly { readonly maxGrantFrames: number; readonly maxMaptrackFrames: number }[],
): GrantLimits {
  const { grantFrames, maptrackFrames } = DEFAULT_GRANT_LIMITS;
  return {
    grantFrames: Math.max(grantFrames, ...domains.map((domain) => domain.maxGrantFrames)),
    maptrackFrames: Math.max(maptrackFrames, ...domains.map((domain) => domain.maxMaptrackFrames)),
  };
}

/** Xen's options for these limits, none for its own. */
export function grantOptions({ grantFrames, maptrackFrames }: GrantLimits): readonly string[] {
  const own = DEFAULT_GRANT_LIMITS;
  return [
    ...(grantFrames > own.grantFrames ? [`gnttab_max_frames=${grantFrames}`] : []),
    ...(maptrackFrames > own.maptrackFrames
      ? [`gnttab_max_maptrack_frames=${maptrackFrames}`]
      : []),
  ];
}
