// SPDX-License-Identifier: Apache-2.0
// Verifies a signature by SLH-DSA-SHA2-128s (FIPS 205). Hashes alone, in loops whose bounds the
// standard gives; there is no secret in it. It leaves out keys and signing, which are the compiler's,
// and all other parameter sets.

import { digestMemory } from "./digests";
import { DIGEST, HASHED, INDICES, NODES, SEED_STATE, SIGNATURE } from "./memory";
import { sha256Begin, sha256Blocks, sha256End } from "./sha256";

// FIPS 205, table 2: n, d, h', k, a; 5.1: len.
const NODE_BYTES: u32 = 16;
const LAYERS: u32 = 7;
const LAYER_HEIGHT: u32 = 9;
const FORS_TREES: u32 = 14;
const FORS_HEIGHT: u32 = 12;
const CHAINS: u32 = 35;
const MESSAGE_CHAINS: u32 = 32;
/** Steps of a whole chain: w - 1. */
const CHAIN_STEPS: u32 = 15;

// FIPS 205, 11.2: the compressed address that each hash begins with, big-endian.
const LAYER: u32 = HASHED;
const TREE: u32 = HASHED + 1;
const TYPE: u32 = HASHED + 9;
const KEY_PAIR: u32 = HASHED + 10;
/** Chain of a WOTS+ hash, height in a tree. */
const CHAIN_OR_HEIGHT: u32 = HASHED + 14;
/** Step of a WOTS+ chain, index in a tree's level. */
const STEP_OR_INDEX: u32 = HASHED + 18;
const ADDRESS_BYTES: u32 = 22;
/** What is hashed, behind the address. */
const INPUT: u32 = HASHED + ADDRESS_BYTES;

/** FIPS 205, 4.2: types of addresses. */
const enum AddressType {
  wotsHash = 0,
  wotsPublicKey = 1,
  tree = 2,
  forsTree = 3,
  forsRoots = 4,
}

function copyNode(to: u32, from: u32): void {
  store<u64>(to, load<u64>(from));
  store<u64>(to, load<u64>(from, 8), 8);
}

function setAddress(type: AddressType, keyPair: u32): void {
  store<u8>(TYPE, <u8>type);
  store<u32>(KEY_PAIR, bswap<u32>(keyPair));
  store<u64>(CHAIN_OR_HEIGHT, 0);
}

/** FIPS 205, 11.2.1: F, H and T of `bytes` bytes at INPUT; the result is DIGEST's first node. */
function tweakedHash(bytes: u32): void {
  const end = ADDRESS_BYTES + bytes;
  copyNode(DIGEST, SEED_STATE);
  copyNode(DIGEST + NODE_BYTES, SEED_STATE + NODE_BYTES);
  sha256Blocks(HASHED, end / 64);
  sha256End(HASHED + (end & ~63), end % 64, 64 + end);
}

/** T of the first `count` of NODES. */
function hashNodes(count: u32): void {
  for (let node: u32 = 0; node < count * NODE_BYTES; node += NODE_BYTES) {
    copyNode(INPUT + node, NODES + node);
  }
  tweakedHash(count * NODE_BYTES);
}

/** FIPS 205, algorithms 11 and 17: from the leaf with this index, in DIGEST, to its tree's root. */
function climb(index: u32, height: u32, path: u32): void {
  for (let level: u32 = 1; level <= height; level++) {
    const right = index & 1;
    index >>= 1;
    store<u32>(CHAIN_OR_HEIGHT, bswap<u32>(level));
    store<u32>(STEP_OR_INDEX, bswap<u32>(index));
    copyNode(INPUT + right * NODE_BYTES, DIGEST);
    copyNode(INPUT + (right ^ 1) * NODE_BYTES, path);
    tweakedHash(2 * NODE_BYTES);
    path += NODE_BYTES;
  }
}

/** FIPS 205, algorithm 17: the FORS public key that a signature of INDICES leads to, in DIGEST. */
function forsPublicKey(signature: u32, keyPair: u32): void {
  setAddress(AddressType.forsTree, keyPair);
  for (let tree: u32 = 0; tree < FORS_TREES; tree++) {
    // Twelve bits of every three bytes' twenty-four, the first ones first.
    const word = <u32>bswap<u16>(load<u16>(INDICES + ((tree * 3) >> 1)));
    const leaf = (tree & 1) == 0 ? word >> 4 : word & 0xfff;
    const index = (tree << FORS_HEIGHT) + leaf;
    store<u32>(CHAIN_OR_HEIGHT, 0);
    store<u32>(STEP_OR_INDEX, bswap<u32>(index));
    copyNode(INPUT, signature);
    tweakedHash(NODE_BYTES);
    climb(index, FORS_HEIGHT, signature + NODE_BYTES);
    copyNode(NODES + tree * NODE_BYTES, DIGEST);
    signature += (1 + FORS_HEIGHT) * NODE_BYTES;
  }
  setAddress(AddressType.forsRoots, keyPair);
  hashNodes(FORS_TREES);
}

/**
 * FIPS 205, algorithm 8: the WOTS+ public key that a signature of the node in DIGEST leads to, in
 * DIGEST. Each chain signs four bits, the last three the sum of what the others left out.
 */
function wotsPublicKey(signature: u32, keyPair: u32): void {
  copyNode(INDICES, DIGEST);
  setAddress(AddressType.wotsHash, keyPair);
  let sum: u32 = 0;
  for (let chain: u32 = 0; chain < CHAINS; chain++) {
    let signed: u32;
    if (chain < MESSAGE_CHAINS) {
      signed = (<u32>load<u8>(INDICES + (chain >> 1)) >> (4 * (~chain & 1))) & 15;
      sum += CHAIN_STEPS - signed;
    } else {
      signed = (sum >> (4 * (CHAINS - 1 - chain))) & 15;
    }
    store<u32>(CHAIN_OR_HEIGHT, bswap<u32>(chain));
    copyNode(DIGEST, signature + chain * NODE_BYTES);
    for (let step = signed; step < CHAIN_STEPS; step++) {
      store<u32>(STEP_OR_INDEX, bswap<u32>(step));
      copyNode(INPUT, DIGEST);
      tweakedHash(NODE_BYTES);
    }
    copyNode(NODES + chain * NODE_BYTES, DIGEST);
  }
  setAddress(AddressType.wotsPublicKey, keyPair);
  hashNodes(CHAINS);
}

/** FIPS 205, 11.2.1: H_msg of the message, to INDICES. */
function hashMessage(publicKey: u32, message: u32, bytes: u32): void {
  const start = message - 3 * NODE_BYTES;
  copyNode(start, SIGNATURE);
  copyNode(start + NODE_BYTES, publicKey);
  copyNode(start + 2 * NODE_BYTES, publicKey + NODE_BYTES);
  digestMemory(start, 3 * NODE_BYTES + bytes);
  // MGF1 of one block: the first two again, the digest, a counter of zero.
  copyNode(HASHED, SIGNATURE);
  copyNode(HASHED + NODE_BYTES, publicKey);
  copyNode(HASHED + 2 * NODE_BYTES, DIGEST);
  copyNode(HASHED + 3 * NODE_BYTES, DIGEST + NODE_BYTES);
  store<u32>(HASHED + 4 * NODE_BYTES, 0);
  digestMemory(HASHED, 4 * NODE_BYTES + 4);
  copyNode(INDICES, DIGEST);
  copyNode(INDICES + NODE_BYTES, DIGEST + NODE_BYTES);
}

/** What every hash begins with: a block of PK.seed and zeros (FIPS 205, 11.2.1). */
function keepSeedState(publicKey: u32): void {
  memory.fill(HASHED, 0, 64);
  copyNode(HASHED, publicKey);
  sha256Begin();
  sha256Blocks(HASHED, 1);
  copyNode(SEED_STATE, DIGEST);
  copyNode(SEED_STATE + NODE_BYTES, DIGEST + NODE_BYTES);
}

/**
 * FIPS 205, algorithm 20: whether SIGNATURE is this public key's, of `bytes` bytes at `message`; 48
 * bytes before them and 128 behind may be overwritten.
 */
export function signatureIsOf(publicKey: u32, message: u32, bytes: u32): bool {
  hashMessage(publicKey, message, bytes);
  keepSeedState(publicKey);
  let tree = (bswap<u64>(load<u64>(INDICES + 20)) << 10) >> 10;
  let leaf = <u32>bswap<u16>(load<u16>(INDICES + 28)) & 0x1ff;

  store<u8>(LAYER, 0);
  store<u64>(TREE, bswap<u64>(tree));
  let signature = SIGNATURE + NODE_BYTES;
  forsPublicKey(signature, leaf);
  signature += FORS_TREES * (1 + FORS_HEIGHT) * NODE_BYTES;
  // FIPS 205, algorithm 13: each layer signs the root of the one below.
  for (let layer: u32 = 0; layer < LAYERS; layer++) {
    store<u8>(LAYER, <u8>layer);
    store<u64>(TREE, bswap<u64>(tree));
    wotsPublicKey(signature, leaf);
    signature += CHAINS * NODE_BYTES;
    setAddress(AddressType.tree, 0);
    climb(leaf, LAYER_HEIGHT, signature);
    signature += LAYER_HEIGHT * NODE_BYTES;
    leaf = <u32>tree & 0x1ff;
    tree >>= LAYER_HEIGHT;
  }
  return memory.compare(DIGEST, publicKey + NODE_BYTES, NODE_BYTES) == 0;
}
