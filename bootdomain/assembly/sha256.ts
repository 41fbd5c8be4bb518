// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) over whole blocks, then an end with padding. The sixteen words of the
// message schedule and the eight working variables are locals, and sixteen rounds are written out:
// so the C compiler keeps them in registers. The digest is built in DIGEST.

import { DIGEST } from "./memory";

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

/** bswap<u32> becomes a call in the C; this, one instruction. */
// @ts-ignore: decorator
@inline
function swapped(x: u32): u32 {
  return rotr<u32>(x & 0x00ff00ff, 8) | rotl<u32>(x & 0xff00ff00, 8);
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
    const a0: u32 = a;
    const b0: u32 = b;
    const c0: u32 = c;
    const d0: u32 = d;
    const e0: u32 = e;
    const f0: u32 = f;
    const g0: u32 = g;
    const h0: u32 = h;
    let pair: u64 = load<u64>(data, 0);
    let w0: u32 = swapped(<u32>pair);
    let w1: u32 = swapped(<u32>(pair >> 32));
    pair = load<u64>(data, 8);
    let w2: u32 = swapped(<u32>pair);
    let w3: u32 = swapped(<u32>(pair >> 32));
    pair = load<u64>(data, 16);
    let w4: u32 = swapped(<u32>pair);
    let w5: u32 = swapped(<u32>(pair >> 32));
    pair = load<u64>(data, 24);
    let w6: u32 = swapped(<u32>pair);
    let w7: u32 = swapped(<u32>(pair >> 32));
    pair = load<u64>(data, 32);
    let w8: u32 = swapped(<u32>pair);
    let w9: u32 = swapped(<u32>(pair >> 32));
    pair = load<u64>(data, 40);
    let w10: u32 = swapped(<u32>pair);
    let w11: u32 = swapped(<u32>(pair >> 32));
    pair = load<u64>(data, 48);
    let w12: u32 = swapped(<u32>pair);
    let w13: u32 = swapped(<u32>(pair >> 32));
    pair = load<u64>(data, 56);
    let w14: u32 = swapped(<u32>pair);
    let w15: u32 = swapped(<u32>(pair >> 32));
    let k0: u32 = 0, k1: u32 = 0, k2: u32 = 0, k3: u32 = 0;
    let k4: u32 = 0, k5: u32 = 0, k6: u32 = 0, k7: u32 = 0;
    let k8: u32 = 0, k9: u32 = 0, k10: u32 = 0, k11: u32 = 0;
    let k12: u32 = 0, k13: u32 = 0, k14: u32 = 0, k15: u32 = 0;
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
      // FIPS 180-4, 4.2.2: K. Not in linear memory, where each load would check its bounds.
      switch (sixteen) {
        case 0:
          k0 = 0x428a2f98; k1 = 0x71374491; k2 = 0xb5c0fbcf; k3 = 0xe9b5dba5;
          k4 = 0x3956c25b; k5 = 0x59f111f1; k6 = 0x923f82a4; k7 = 0xab1c5ed5;
          k8 = 0xd807aa98; k9 = 0x12835b01; k10 = 0x243185be; k11 = 0x550c7dc3;
          k12 = 0x72be5d74; k13 = 0x80deb1fe; k14 = 0x9bdc06a7; k15 = 0xc19bf174;
          break;
        case 1:
          k0 = 0xe49b69c1; k1 = 0xefbe4786; k2 = 0x0fc19dc6; k3 = 0x240ca1cc;
          k4 = 0x2de92c6f; k5 = 0x4a7484aa; k6 = 0x5cb0a9dc; k7 = 0x76f988da;
          k8 = 0x983e5152; k9 = 0xa831c66d; k10 = 0xb00327c8; k11 = 0xbf597fc7;
          k12 = 0xc6e00bf3; k13 = 0xd5a79147; k14 = 0x06ca6351; k15 = 0x14292967;
          break;
        case 2:
          k0 = 0x27b70a85; k1 = 0x2e1b2138; k2 = 0x4d2c6dfc; k3 = 0x53380d13;
          k4 = 0x650a7354; k5 = 0x766a0abb; k6 = 0x81c2c92e; k7 = 0x92722c85;
          k8 = 0xa2bfe8a1; k9 = 0xa81a664b; k10 = 0xc24b8b70; k11 = 0xc76c51a3;
          k12 = 0xd192e819; k13 = 0xd6990624; k14 = 0xf40e3585; k15 = 0x106aa070;
          break;
        default:
          k0 = 0x19a4c116; k1 = 0x1e376c08; k2 = 0x2748774c; k3 = 0x34b0bcb5;
          k4 = 0x391c0cb3; k5 = 0x4ed8aa4a; k6 = 0x5b9cca4f; k7 = 0x682e6ff3;
          k8 = 0x748f82ee; k9 = 0x78a5636f; k10 = 0x84c87814; k11 = 0x8cc70208;
          k12 = 0x90befffa; k13 = 0xa4506ceb; k14 = 0xbef9a3f7; k15 = 0xc67178f2;
      }
      t = h + k0 + w0 + choose(e, f, g) + bigSigma1(e);
      d += t;
      xy = a ^ b;
      h = t + majority(xy, yz, b) + bigSigma0(a);
      t = g + k1 + w1 + choose(d, e, f) + bigSigma1(d);
      c += t;
      yz = h ^ a;
      g = t + majority(yz, xy, a) + bigSigma0(h);
      t = f + k2 + w2 + choose(c, d, e) + bigSigma1(c);
      b += t;
      xy = g ^ h;
      f = t + majority(xy, yz, h) + bigSigma0(g);
      t = e + k3 + w3 + choose(b, c, d) + bigSigma1(b);
      a += t;
      yz = f ^ g;
      e = t + majority(yz, xy, g) + bigSigma0(f);
      t = d + k4 + w4 + choose(a, b, c) + bigSigma1(a);
      h += t;
      xy = e ^ f;
      d = t + majority(xy, yz, f) + bigSigma0(e);
      t = c + k5 + w5 + choose(h, a, b) + bigSigma1(h);
      g += t;
      yz = d ^ e;
      c = t + majority(yz, xy, e) + bigSigma0(d);
      t = b + k6 + w6 + choose(g, h, a) + bigSigma1(g);
      f += t;
      xy = c ^ d;
      b = t + majority(xy, yz, d) + bigSigma0(c);
      t = a + k7 + w7 + choose(f, g, h) + bigSigma1(f);
      e += t;
      yz = b ^ c;
      a = t + majority(yz, xy, c) + bigSigma0(b);
      t = h + k8 + w8 + choose(e, f, g) + bigSigma1(e);
      d += t;
      xy = a ^ b;
      h = t + majority(xy, yz, b) + bigSigma0(a);
      t = g + k9 + w9 + choose(d, e, f) + bigSigma1(d);
      c += t;
      yz = h ^ a;
      g = t + majority(yz, xy, a) + bigSigma0(h);
      t = f + k10 + w10 + choose(c, d, e) + bigSigma1(c);
      b += t;
      xy = g ^ h;
      f = t + majority(xy, yz, h) + bigSigma0(g);
      t = e + k11 + w11 + choose(b, c, d) + bigSigma1(b);
      a += t;
      yz = f ^ g;
      e = t + majority(yz, xy, g) + bigSigma0(f);
      t = d + k12 + w12 + choose(a, b, c) + bigSigma1(a);
      h += t;
      xy = e ^ f;
      d = t + majority(xy, yz, f) + bigSigma0(e);
      t = c + k13 + w13 + choose(h, a, b) + bigSigma1(h);
      g += t;
      yz = d ^ e;
      c = t + majority(yz, xy, e) + bigSigma0(d);
      t = b + k14 + w14 + choose(g, h, a) + bigSigma1(g);
      f += t;
      xy = c ^ d;
      b = t + majority(xy, yz, d) + bigSigma0(c);
      t = a + k15 + w15 + choose(f, g, h) + bigSigma1(f);
      e += t;
      yz = b ^ c;
      a = t + majority(yz, xy, c) + bigSigma0(b);
    }
    a += a0;
    b += b0;
    c += c0;
    d += d0;
    e += e0;
    f += f0;
    g += g0;
    h += h0;
    data += 64;
    blocks--;
  }
  store<u32>(DIGEST, a, 0);
  store<u32>(DIGEST, b, 4);
  store<u32>(DIGEST, c, 8);
  store<u32>(DIGEST, d, 12);
  store<u32>(DIGEST, e, 16);
  store<u32>(DIGEST, f, 20);
  store<u32>(DIGEST, g, 24);
  store<u32>(DIGEST, h, 28);
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
    store<u32>(DIGEST + word, swapped(load<u32>(DIGEST + word)));
  }
}
