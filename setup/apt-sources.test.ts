// SPDX-License-Identifier: Apache-2.0
// The machine's apt sources in the forms of sources.list(5).

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  debianSources,
  formatSourcesList,
  parseListFile,
  parseSourcesFile,
} from "./apt-sources.js";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

test("the deb822 form gives one source for each address and suite", () => {
  const text = `Types: deb
# a comment between fields
URIs: http://one.example/debian http://two.example/debian
Suites: bookworm
 bookworm-updates
Components: main contrib
Signed-By: ${keyring}

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no
`;
  const components = ["main", "contrib"];
  expect(parseSourcesFile(text)).toEqual([
    { uri: "http://one.example/debian", suite: "bookworm", components, signedBy: keyring },
    { uri: "http://one.example/debian", suite: "bookworm-updates", components, signedBy: keyring },
    { uri: "http://two.example/debian", suite: "bookworm", components, signedBy: keyring },
    { uri: "http://two.example/debian", suite: "bookworm-updates", components, signedBy: keyring },
  ]);
});

test("a key inside the deb822 form counts as no keyring", () => {
  const text = `Types: deb
URIs: http://one.example/
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----
`;
  expect(parseSourcesFile(text)).toEqual([
    { uri: "http://one.example/", suite: "bookworm", components: ["main"] },
  ]);
});

test("the one-line form is read with options, comments and source entries", () => {
  const text = `# deb http://off.example/ bookworm main
deb [arch=amd64 signed-by=${keyring}] http://one.example/debian bookworm main contrib # note
deb-src http://two.example/debian bookworm-security main
not an entry
`;
  expect(parseListFile(text)).toEqual([
    {
      uri: "http://one.example/debian",
      suite: "bookworm",
      components: ["main", "contrib"],
      signedBy: keyring,
    },
    { uri: "http://two.example/debian", suite: "bookworm-security", components: ["main"] },
  ]);
});

const place = { components: ["main"], suite: "bookworm" };
const debian = { ...place, uri: "http://debian.example/", signedBy: keyring };
const unsigned = { ...place, uri: "http://plain.example/" };
const other = { ...place, uri: "http://other.example/", signedBy: "/usr/share/keyrings/x.gpg" };

test("sources signed by Debian's keyring come before all others", () => {
  expect(debianSources([other, unsigned, debian])).toEqual([debian]);
});

test("without them, sources of no keyring serve, then a mirror with a key of its own", () => {
  expect(debianSources([other, unsigned])).toEqual([unsigned]);
  expect(debianSources([other])).toEqual([other]);
});

test("other suites and components are no sources of Debian 12", () => {
  const vendor = { ...debian, components: ["stable"] };
  const later = { ...debian, suite: "trixie" };
  const derived = { ...debian, suite: "bookworm-vendor" };
  expect(debianSources([vendor, later, derived])).toEqual([]);
});

test("a formatted list is read back as each source with main alone, as deb and deb-src", () => {
  const word = fc.stringMatching(/^[a-z0-9./-]{1,12}$/);
  const source = fc.record({ uri: word, suite: word, signedBy: fc.option(word) });
  fc.assert(
    fc.property(fc.array(source), (given) => {
      const sources = given.map(({ uri, suite, signedBy }) => {
        const keyring = signedBy === null ? {} : { signedBy };
        return { uri, suite, components: ["main"], ...keyring };
      });
      const read = parseListFile(formatSourcesList(sources));
      const different = [...new Map(sources.map((one) => [JSON.stringify(one), one])).values()];
      expect(read).toEqual(different.flatMap((one) => [one, one]));
    }),
  );
});
