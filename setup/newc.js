// SPDX-License-Identifier: Apache-2.0
// Writes a "newc" cpio archive, the form of Linux' initial ramdisk, from entries in memory. The
// same entries give the same bytes: owner 0, time 0, inodes counted. So no file system, no root
// and no cpio is needed for device nodes. Leaves out hard links, checksums and reading.

/**
 * One entry; paths have no leading slash, and a folder comes before what is in it.
 *
 * @typedef {{ path: string, kind: "folder" }
 *   | { path: string, kind: "file", mode: number, content: Uint8Array }
 *   | { path: string, kind: "link", target: string }
 *   | { path: string, kind: "character-device", major: number, minor: number }} NewcEntry
 */

const TRAILER = "TRAILER!!!";
const TYPE_BITS = {
  folder: 0o040000,
  file: 0o100000,
  link: 0o120000,
  "character-device": 0o020000,
};

/** @param {NewcEntry} entry */
function modeOf(entry) {
  const permissions = { folder: 0o755, link: 0o777, "character-device": 0o600 };
  return TYPE_BITS[entry.kind] | (entry.kind === "file" ? entry.mode : permissions[entry.kind]);
}

/** @param {NewcEntry} entry */
function contentOf(entry) {
  if (entry.kind === "file") return entry.content;
  return entry.kind === "link" ? Buffer.from(entry.target) : new Uint8Array();
}

/** @param {number} length */
function padding(length) {
  return Buffer.alloc(-length & 3);
}

/**
 * @param {string} path
 * @param {{ inode: number, mode: number, links: number, major: number, minor: number }} fields
 * @param {Uint8Array} content
 */
function record(path, { inode, mode, links, major, minor }, content) {
  const name = Buffer.from(`${path}\0`);
  // The order of the fields is inode, mode, uid, gid, links, time, size, device major
  // and minor, its own major and minor, name's size, checksum.
  const values = [inode, mode, 0, 0, links, 0, content.length, 0, 0, major, minor, name.length, 0];
  const header = values.map((value) => value.toString(16).toUpperCase().padStart(8, "0")).join("");
  const head = Buffer.concat([Buffer.from(`070701${header}`), name]);
  return Buffer.concat([head, padding(head.length), content, padding(content.length)]);
}

/**
 * @param {readonly NewcEntry[]} entries
 * @returns {Buffer} whole archive, its trailer included
 */
export function newcArchive(entries) {
  const records = entries.map((entry, index) => {
    const device = entry.kind === "character-device" ? entry : { major: 0, minor: 0 };
    const links = entry.kind === "folder" ? 2 : 1;
    const { major, minor } = device;
    const fields = { inode: index + 1, mode: modeOf(entry), links, major, minor };
    return record(entry.path, fields, contentOf(entry));
  });
  const trailer = { inode: 0, mode: 0, links: 1, major: 0, minor: 0 };
  return Buffer.concat([...records, record(TRAILER, trailer, new Uint8Array())]);
}
