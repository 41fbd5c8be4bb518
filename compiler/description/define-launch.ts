// SPDX-License-Identifier: Apache-2.0
// The package's face to programs: a launch description in TypeScript, with its types. The value is
// checked when domb reads the file, by the same schema as launch.yaml.

import type { DomainInput, LaunchInput } from "./schema.js";

export type { DomainInput, LaunchInput };

/** A launch description; what launch.ts exports by default. Paths are relative to that file. */
export function defineLaunch(launch: LaunchInput): LaunchInput {
  return launch;
}
