// SPDX-License-Identifier: Apache-2.0
// What can be wrong with keys and signatures.

import { defineRules } from "../diagnostics/rules.js";

export const signatureRules = defineRules({
  DOMB5101: {
    slug: "key-file",
    title: "a file holds no key that can be used",
    severity: "error",
    explanation:
      "Plans are signed by SLH-DSA-SHA2-128s (FIPS 205). A key file is PEM: PKCS#8 for a secret " +
      "key, SubjectPublicKeyInfo for a public one, as RFC 9909 says.",
    example: "domb build launch.yaml --key id_ed25519",
  },
  DOMB5102: {
    slug: "key-readable-by-others",
    title: "a secret key may be read by others",
    severity: "warning",
    explanation: "Whoever reads the secret key can sign launches that your hosts then run.",
    example: "a key file of mode 0644",
  },
  DOMB5103: {
    slug: "key-pair-does-not-match",
    title: "a secret key does not fit its public half",
    severity: "error",
    explanation:
      "What the key signs is not verified by the public key that it holds: the file is damaged.",
    example: "a key file with a letter changed",
  },
  DOMB5104: {
    slug: "not-signed",
    title: "a plan is not signed",
    severity: "error",
    explanation:
      "Where the plan's signature would be the image has zeros. A boot domain that trusts a key does not launch it.",
    example: "domb verify launch.img --key owner.pub, before domb sign",
  },
  DOMB5105: {
    slug: "signature-of-another",
    title: "a plan is signed by none of the keys",
    severity: "error",
    explanation:
      "The signature is of another key, or of another plan: it covers the plan's header, and with the digests in it the plan and every material.",
    example: "an image that was changed after it was signed",
  },
  DOMB5106: {
    slug: "signature-file",
    title: "a file holds no signature",
    severity: "error",
    explanation: "A signature of SLH-DSA-SHA2-128s is 7856 bytes, with nothing around them.",
    example: "domb sign launch.img --attach launch.img",
  },
  DOMB5107: {
    slug: "nothing-to-attach-to",
    title: "the image has no such plan",
    severity: "error",
    explanation: "A signature was given for a recovery plan, and the image has none.",
    example: "domb sign launch.img --attach-recovery recovery.sig",
  },
  DOMB5108: {
    slug: "no-boot-domain",
    title: "a file is no boot domain",
    severity: "error",
    explanation:
      "The boot domain's kernel file has one ELF note of domb's, with room for the keys that it trusts.",
    example: "a boot domain of an earlier version",
  },
  DOMB5109: {
    slug: "launch-too-old",
    title: "a launch is older than may run",
    severity: "error",
    explanation:
      "A signed plan carries a version; a boot domain refuses those below the least that it was given, so that an old launch with known faults can't come back.",
    example: "domb verify launch.img --key owner.pub --least-version 3, of version 2",
  },
});
