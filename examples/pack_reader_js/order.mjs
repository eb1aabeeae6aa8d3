// From fingerprints to codes and back (section 3 of docs/pack-format.md): the record of a radix sort, one pass for each bit of the cell number.

const onesIn = (word) => {
  let count = 0;
  for (; word; word &= word - 1) count++;
  return count;
};

export class Order {
  // bits: 32-bit words, 16 for each block of 512 bits.
  constructor(bits, counts, nFingerprints, nCells) {
    Object.assign(this, { bits, counts, nFingerprints });
    this.passes = 32 - Math.clz32(nCells);
    this.blocks = Math.ceil(nFingerprints / 512);
    for (let pass = 0; pass < this.passes; pass++) {
      let total = 0;
      for (let block = 0; block <= this.blocks; block++) {
        if (this.before(pass, block) !== total) throw new Error('order_counts do not fit order_bits');
        if (block < this.blocks) for (let w = 0; w < 16; w++) total += onesIn(this.word(pass, 16 * block + w));
      }
      if (total > this.ones(pass, nFingerprints)) throw new Error('bits behind the last fingerprint');
    }
  }

  word(pass, w) { return this.bits[pass * 16 * this.blocks + w]; }
  bit(pass, i) { return (this.word(pass, i >>> 5) >>> (i & 31)) & 1; }
  before(pass, block) { return this.counts[pass * (this.blocks + 1) + block]; }
  zeros(pass) { return this.nFingerprints - this.before(pass, this.blocks); }

  ones(pass, i) {
    const block = Math.floor(i / 512);
    let count = this.before(pass, block);
    for (let w = 16 * block; w < i >>> 5; w++) count += onesIn(this.word(pass, w));
    return i & 31 ? count + onesIn(this.word(pass, i >>> 5) & ((1 << (i & 31)) - 1)) : count;
  }

  // Cell and position (row of codes) of a fingerprint.
  locate(fingerprint) {
    let at = fingerprint;
    let cell = 0;
    for (let pass = 0; pass < this.passes; pass++) {
      const ones = this.ones(pass, at);
      if (this.bit(pass, at)) {
        cell |= 1 << pass;
        at = this.zeros(pass) + ones;
      } else at -= ones;
    }
    return { cell, position: at };
  }

  // The fingerprint at a position of a known cell: the same way back.
  fingerprint(position, cell) {
    let at = position;
    for (let pass = this.passes - 1; pass >= 0; pass--) {
      const wanted = (cell >> pass) & 1;
      at = this.place(pass, wanted ? at - this.zeros(pass) : at, wanted);
    }
    return at;
  }

  // Where one (or zero) number `rank` of a pass stands, counted from 0.
  place(pass, rank, wanted) {
    const before = (block) => (wanted ? this.before(pass, block) : 512 * block - this.before(pass, block));
    let low = 0;
    let high = this.blocks - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (before(middle) <= rank) low = middle; else high = middle - 1;
    }
    let left = rank - before(low);
    for (let w = 16 * low; w < 16 * (low + 1); w++) {
      const ones = onesIn(this.word(pass, w));
      const here = wanted ? ones : 32 - ones;
      for (let i = 32 * w; left < here && i < Math.min(32 * (w + 1), this.nFingerprints); i++) {
        if (this.bit(pass, i) === wanted && left-- === 0) return i;
      }
      left -= here;
    }
    throw new Error('the order leads outside of the fingerprints');
  }
}
