// From fingerprints to their cells and codes, and back: section 3 of docs/pack-format.md.
export class Order {
  constructor(n, passes, blocks, bits, counts) {
    Object.assign(this, { n, passes, blocks, counts });
    this.words = new Uint32Array(bits.buffer); // two for each word of 64 bits, the lower first
  }

  /** Returns [cell, position of the code]. */
  locate(fingerprint) {
    let at = fingerprint;
    let cell = 0;
    for (let pass = 0; pass < this.passes; pass++) {
      const ones = this.onesBefore(pass, at);
      if (this.bit(pass, at)) {
        cell += 2 ** pass;
        at = this.checked(this.zeros(pass) + ones);
      } else {
        at = this.checked(at - ones);
      }
    }
    return [cell, at];
  }

  /** Returns the fingerprint whose code lies at a position in a cell. */
  fingerprint(position, cell) {
    let at = position;
    for (let pass = this.passes - 1; pass >= 0; pass--) {
      const one = (cell >> pass) & 1;
      at = this.checked(this.select(pass, one ? at - this.zeros(pass) : at, one));
    }
    return at;
  }

  count(pass, block) {
    return this.counts[pass * (this.blocks + 1) + block];
  }

  zeros(pass) {
    return this.n - this.count(pass, this.blocks);
  }

  word(pass, number) {
    return this.words[pass * this.blocks * 16 + number];
  }

  bit(pass, at) {
    return (this.word(pass, at >>> 5) >>> (at & 31)) & 1;
  }

  onesBefore(pass, at) {
    const block = Math.floor(at / 512);
    let ones = this.count(pass, block);
    for (let number = block * 16; number < at >>> 5; number++) ones += popcount(this.word(pass, number));
    const rest = at & 31;
    return ones + (rest ? popcount(this.word(pass, at >>> 5) << (32 - rest)) : 0);
  }

  select(pass, rank, one) {
    const before = (block) => (one ? this.count(pass, block) : 512 * block - this.count(pass, block));
    let low = 0;
    let high = this.blocks - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (before(middle) <= rank) low = middle;
      else high = middle - 1;
    }
    let rest = rank - before(low);
    for (let at = low * 512; at < (low + 1) * 512; at++) {
      if (this.bit(pass, at) === one && rest-- === 0) return at;
    }
    return -1;
  }

  checked(at) {
    if (!(at >= 0 && at < this.n)) throw new Error('the order leads outside the fingerprints');
    return at;
  }
}

function popcount(word) {
  let value = word - ((word >>> 1) & 0x55555555);
  value = (value & 0x33333333) + ((value >>> 2) & 0x33333333);
  return Math.imul((value + (value >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
