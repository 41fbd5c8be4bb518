// SPDX-License-Identifier: Apache-2.0
// A description that gives up before it has described anything.

throw new Error("no kernel chosen");
