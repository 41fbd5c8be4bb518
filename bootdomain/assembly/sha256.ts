// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) over whole blocks, then an end with padding. The sixteen words of the
// message schedule and the eight working variables are locals, and sixteen rounds are written out:
// so the C compiler keeps them in registers. The digest is built in DIGEST.

import { DIGEST } from "./memory";

/** FIPS 180-4, 4.2.2: K. */
// biome-ignore format: eight constants a line, as the standard prints them
const ROUND_CONSTANTS = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

// FIPS 180-4, 4.1.2: the functions, in the standard's names. Each rotation reuses the one before
// it, and majority takes x ^ y and y ^ z, of which the next round needs the first again: so a round
// costs a third fewer instructions than the standard's own formulas.

// @ts-ignore: decorator
@inline
function choose(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}

// @ts-ignore: decorator
@inline
function majority(xy: u32, yz: u32, y: u32): u32 {
  return y ^ (xy & yz);
}

// @ts-ignore: decorator
@inline
function bigSigma0(x: u32): u32 {
  return rotr<u32>(x ^ rotr<u32>(x ^ rotr<u32>(x, 9), 11), 2);
}

// @ts-ignore: decorator
@inline
function bigSigma1(x: u32): u32 {
  return rotr<u32>(x ^ rotr<u32>(x ^ rotr<u32>(x, 14), 5), 6);
}

// @ts-ignore: decorator
@inline
function sigma0(x: u32): u32 {
  return rotr<u32>(x ^ rotr<u32>(x, 11), 7) ^ (x >> 3);
}

// @ts-ignore: decorator
@inline
function sigma1(x: u32): u32 {
  return rotr<u32>(x ^ rotr<u32>(x, 2), 17) ^ (x >> 10);
}

/** FIPS 180-4, 5.3.3: begins a digest. */
export function sha256Begin(): void {
  store<u32>(DIGEST, 0x6a09e667, 0);
  store<u32>(DIGEST, 0xbb67ae85, 4);
  store<u32>(DIGEST, 0x3c6ef372, 8);
  store<u32>(DIGEST, 0xa54ff53a, 12);
  store<u32>(DIGEST, 0x510e527f, 16);
  store<u32>(DIGEST, 0x9b05688c, 20);
  store<u32>(DIGEST, 0x1f83d9ab, 24);
  store<u32>(DIGEST, 0x5be0cd19, 28);
}

/** FIPS 180-4, 6.2.2: takes in `blocks` blocks of 64 bytes from `data`. */
export function sha256Blocks(data: u32, blocks: u32): void {
  let a: u32 = load<u32>(DIGEST, 0);
  let b: u32 = load<u32>(DIGEST, 4);
  let c: u32 = load<u32>(DIGEST, 8);
  let d: u32 = load<u32>(DIGEST, 12);
  let e: u32 = load<u32>(DIGEST, 16);
  let f: u32 = load<u32>(DIGEST, 20);
  let g: u32 = load<u32>(DIGEST, 24);
  let h: u32 = load<u32>(DIGEST, 28);
  while (blocks != 0) {
    let w0: u32 = bswap<u32>(load<u32>(data, 0));
    let w1: u32 = bswap<u32>(load<u32>(data, 4));
    let w2: u32 = bswap<u32>(load<u32>(data, 8));
    let w3: u32 = bswap<u32>(load<u32>(data, 12));
    let w4: u32 = bswap<u32>(load<u32>(data, 16));
    let w5: u32 = bswap<u32>(load<u32>(data, 20));
    let w6: u32 = bswap<u32>(load<u32>(data, 24));
    let w7: u32 = bswap<u32>(load<u32>(data, 28));
    let w8: u32 = bswap<u32>(load<u32>(data, 32));
    let w9: u32 = bswap<u32>(load<u32>(data, 36));
    let w10: u32 = bswap<u32>(load<u32>(data, 40));
    let w11: u32 = bswap<u32>(load<u32>(data, 44));
    let w12: u32 = bswap<u32>(load<u32>(data, 48));
    let w13: u32 = bswap<u32>(load<u32>(data, 52));
    let w14: u32 = bswap<u32>(load<u32>(data, 56));
    let w15: u32 = bswap<u32>(load<u32>(data, 60));
    let k: u32 = <u32>ROUND_CONSTANTS;
    let t: u32;
    let xy: u32;
    let yz: u32 = b ^ c;
    for (let sixteen: u32 = 0; sixteen < 4; sixteen++) {
      if (sixteen != 0) {
        w0 += sigma0(w1) + w9 + sigma1(w14);
        w1 += sigma0(w2) + w10 + sigma1(w15);
        w2 += sigma0(w3) + w11 + sigma1(w0);
        w3 += sigma0(w4) + w12 + sigma1(w1);
        w4 += sigma0(w5) + w13 + sigma1(w2);
        w5 += sigma0(w6) + w14 + sigma1(w3);
        w6 += sigma0(w7) + w15 + sigma1(w4);
        w7 += sigma0(w8) + w0 + sigma1(w5);
        w8 += sigma0(w9) + w1 + sigma1(w6);
        w9 += sigma0(w10) + w2 + sigma1(w7);
        w10 += sigma0(w11) + w3 + sigma1(w8);
        w11 += sigma0(w12) + w4 + sigma1(w9);
        w12 += sigma0(w13) + w5 + sigma1(w10);
        w13 += sigma0(w14) + w6 + sigma1(w11);
        w14 += sigma0(w15) + w7 + sigma1(w12);
        w15 += sigma0(w0) + w8 + sigma1(w13);
      }
      t = h + bigSigma1(e) + choose(e, f, g) + load<u32>(k, 0) + w0;
      d += t;
      xy = a ^ b;
      h = t + bigSigma0(a) + majority(xy, yz, b);
      t = g + bigSigma1(d) + choose(d, e, f) + load<u32>(k, 4) + w1;
      c += t;
      yz = h ^ a;
      g = t + bigSigma0(h) + majority(yz, xy, a);
      t = f + bigSigma1(c) + choose(c, d, e) + load<u32>(k, 8) + w2;
      b += t;
      xy = g ^ h;
      f = t + bigSigma0(g) + majority(xy, yz, h);
      t = e + bigSigma1(b) + choose(b, c, d) + load<u32>(k, 12) + w3;
      a += t;
      yz = f ^ g;
      e = t + bigSigma0(f) + majority(yz, xy, g);
      t = d + bigSigma1(a) + choose(a, b, c) + load<u32>(k, 16) + w4;
      h += t;
      xy = e ^ f;
      d = t + bigSigma0(e) + majority(xy, yz, f);
      t = c + bigSigma1(h) + choose(h, a, b) + load<u32>(k, 20) + w5;
      g += t;
      yz = d ^ e;
      c = t + bigSigma0(d) + majority(yz, xy, e);
      t = b + bigSigma1(g) + choose(g, h, a) + load<u32>(k, 24) + w6;
      f += t;
      xy = c ^ d;
      b = t + bigSigma0(c) + majority(xy, yz, d);
      t = a + bigSigma1(f) + choose(f, g, h) + load<u32>(k, 28) + w7;
      e += t;
      yz = b ^ c;
      a = t + bigSigma0(b) + majority(yz, xy, c);
      t = h + bigSigma1(e) + choose(e, f, g) + load<u32>(k, 32) + w8;
      d += t;
      xy = a ^ b;
      h = t + bigSigma0(a) + majority(xy, yz, b);
      t = g + bigSigma1(d) + choose(d, e, f) + load<u32>(k, 36) + w9;
      c += t;
      yz = h ^ a;
      g = t + bigSigma0(h) + majority(yz, xy, a);
      t = f + bigSigma1(c) + choose(c, d, e) + load<u32>(k, 40) + w10;
      b += t;
      xy = g ^ h;
      f = t + bigSigma0(g) + majority(xy, yz, h);
      t = e + bigSigma1(b) + choose(b, c, d) + load<u32>(k, 44) + w11;
      a += t;
      yz = f ^ g;
      e = t + bigSigma0(f) + majority(yz, xy, g);
      t = d + bigSigma1(a) + choose(a, b, c) + load<u32>(k, 48) + w12;
      h += t;
      xy = e ^ f;
      d = t + bigSigma0(e) + majority(xy, yz, f);
      t = c + bigSigma1(h) + choose(h, a, b) + load<u32>(k, 52) + w13;
      g += t;
      yz = d ^ e;
      c = t + bigSigma0(d) + majority(yz, xy, e);
      t = b + bigSigma1(g) + choose(g, h, a) + load<u32>(k, 56) + w14;
      f += t;
      xy = c ^ d;
      b = t + bigSigma0(c) + majority(xy, yz, d);
      t = a + bigSigma1(f) + choose(f, g, h) + load<u32>(k, 60) + w15;
      e += t;
      yz = b ^ c;
      a = t + bigSigma0(b) + majority(yz, xy, c);
      k += 64;
    }
    a += load<u32>(DIGEST, 0);
    store<u32>(DIGEST, a, 0);
    b += load<u32>(DIGEST, 4);
    store<u32>(DIGEST, b, 4);
    c += load<u32>(DIGEST, 8);
    store<u32>(DIGEST, c, 8);
    d += load<u32>(DIGEST, 12);
    store<u32>(DIGEST, d, 12);
    e += load<u32>(DIGEST, 16);
    store<u32>(DIGEST, e, 16);
    f += load<u32>(DIGEST, 20);
    store<u32>(DIGEST, f, 20);
    g += load<u32>(DIGEST, 24);
    store<u32>(DIGEST, g, 24);
    h += load<u32>(DIGEST, 28);
    store<u32>(DIGEST, h, 28);
    data += 64;
    blocks--;
  }
}

/**
 * FIPS 180-4, 5.1.1: pads the last `rest` bytes at `data` (128 bytes beyond them are overwritten),
 * of a message of `bytes` bytes in all, and leaves the digest in DIGEST, first byte first.
 */
export function sha256End(data: u32, rest: u32, bytes: u32): void {
  const blocks: u32 = (rest + 72) / 64;
  memory.fill(data + rest, 0, blocks * 64 - rest);
  store<u8>(data + rest, 0x80);
  store<u64>(data + blocks * 64 - 8, bswap<u64>(<u64>bytes * 8));
  sha256Blocks(data, blocks);
  for (let word: u32 = 0; word < 32; word += 4) {
    store<u32>(DIGEST + word, bswap<u32>(load<u32>(DIGEST + word)));
  }
}
