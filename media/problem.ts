// SPDX-License-Identifier: Apache-2.0
// What can stand in the way of boot media, as a type that says which; all else that is thrown here
// comes from node:fs, or is a bug.

export type MediaProblem =
  /** A program of a Debian package is not there. */
  | { readonly kind: "missing-program"; readonly program: string; readonly debianPackage: string }
  /** A program ran and did not do its work; `words` is the end of what it said. */
  | { readonly kind: "failed-program"; readonly program: string; readonly words: string }
  /** Key and certificate can't sign. */
  | { readonly kind: "unfit-key"; readonly what: string; readonly fix: string }
  /** A part, or all of them, can't be put on the medium. */
  | { readonly kind: "unfit-part"; readonly what: string; readonly fix: string };

export class MediaError extends Error {
  constructor(readonly problem: MediaProblem) {
    super(problem.kind);
  }
}
