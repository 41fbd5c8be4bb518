// SPDX-License-Identifier: Apache-2.0
// Reads the machine's own apt sources, in both of their forms, and picks Debian's: from them a
// private list of binary and source packages is made. Pure; leaves out all options of an entry but
// Signed-By.

/** The Debian release whose packages domb is made for. */
export const DEBIAN_RELEASE = "bookworm";

const SUITES = ["", "-updates", "-security"].map((end) => DEBIAN_RELEASE + end);
const DEBIAN_KEYRING = /\/debian-archive-keyring\.(gpg|pgp|asc)$/;

/**
 * One place of packages; `signedBy` is a keyring's path, as apt wants it.
 *
 * @typedef {{ uri: string, suite: string, components: readonly string[], signedBy?: string }} AptSource
 */

/**
 * A list in apt's one-line form (`*.list`).
 *
 * @param {string} text
 * @returns {AptSource[]}
 */
export function parseListFile(text) {
  const found = [];
  for (const line of text.split("\n")) {
    const match = /^\s*deb(?:-src)?\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
    if (!match) continue;
    const [, options = "", uri = "", suite = "", components = ""] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    found.push(source(uri, suite, components.trim().split(/\s+/), signedBy));
  }
  return found;
}

/**
 * A list in apt's deb822 form (`*.sources`). A key given in the file itself counts as no keyring.
 *
 * @param {string} text
 * @returns {AptSource[]}
 */
export function parseSourcesFile(text) {
  const uncommented = text.replace(/^#.*\n?/gm, "");
  return uncommented.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = deb822Fields(stanza);
    const words = (/** @type {string} */ name) =>
      (fields.get(name) ?? "").split(/\s+/).filter(Boolean);
    if (/^(no|false|0)$/i.test(fields.get("enabled") ?? "yes")) return [];
    const signedBy = words("signed-by").find((word) => word.startsWith("/"));
    return words("uris").flatMap((uri) =>
      words("suites").map((suite) => source(uri, suite, words("components"), signedBy)),
    );
  });
}

/** @param {string} stanza */
function deb822Fields(stanza) {
  const unfolded = stanza.replace(/\n[ \t]+/g, " ");
  /** @type {Map<string, string>} */
  const fields = new Map();
  for (const line of unfolded.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0)
      fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return fields;
}

/**
 * @param {string} uri
 * @param {string} suite
 * @param {string[]} components
 * @param {string | undefined} signedBy
 * @returns {AptSource}
 */
function source(uri, suite, components, signedBy) {
  return { uri, suite, components, ...(signedBy === undefined ? {} : { signedBy }) };
}

/**
 * The sources of Debian itself. Others may use its suites' names too, so those signed by Debian's
 * keyring come first; a mirror with a key of its own serves where there are none.
 *
 * @param {readonly AptSource[]} sources
 */
export function debianSources(sources) {
  const named = sources.filter(
    ({ suite, components }) => SUITES.includes(suite) && components.includes("main"),
  );
  const byDebian = named.filter(({ signedBy }) => DEBIAN_KEYRING.test(signedBy ?? ""));
  if (byDebian.length > 0) return byDebian;
  const byDefault = named.filter(({ signedBy }) => signedBy === undefined);
  return byDefault.length > 0 ? byDefault : named;
}

/**
 * A `sources.list` of binary and source packages in `main`.
 *
 * @param {readonly AptSource[]} sources
 */
export function formatSourcesList(sources) {
  const lines = sources.flatMap(({ uri, suite, signedBy }) => {
    const place = `${signedBy ? `[signed-by=${signedBy}] ` : ""}${uri} ${suite} main`;
    return [`deb ${place}`, `deb-src ${place}`];
  });
  return `${[...new Set(lines)].join("\n")}\n`;
}
