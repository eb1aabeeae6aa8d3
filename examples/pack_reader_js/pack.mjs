// A database in memory (sections 2 and 4 of docs/pack-format.md): checked arrays, and fingerprints as vectors.
import { readManifest, readFiles } from './manifest.mjs';
import { readNpy } from './npy.mjs';
import { Order } from './order.mjs';
import { Annoy } from './annoy.mjs';
import { normalized } from './numbers.mjs';
import { readTags } from './songs.mjs';

export class Pack {
  static async open(folder) {
    const manifest = readManifest(folder);
    const files = readFiles(folder, manifest);
    return new Pack(manifest, files, await readTags(folder, manifest));
  }

  constructor(manifest, files, tags) {
    const { dim, n_slots, n_cells, n_codes, n_fingerprints, n_subspaces } = manifest;
    const array = (role, type, ...shape) => {
      try {
        return readNpy(files[role], type, shape);
      } catch (error) {
        throw new Error(`${role}: ${error.message}`);
      }
    };
    const isWhole = manifest.schema_version === 4; // a byte names a whole vector, and not one for a part of the dimensions
    const width = isWhole ? dim : dim / n_subspaces;
    const passes = 32 - Math.clz32(n_cells);
    const blocks = Math.ceil(n_fingerprints / 512);
    Object.assign(this, { dim, nSlots: n_slots, nCells: n_cells, nCodes: n_codes, nFingerprints: n_fingerprints,
      nSubspaces: n_subspaces, width, step: isWhole ? 0 : width, hop: manifest.hop_s, space: manifest.embedding_space, tags });
    this.songStarts = array('song_starts', '<u4', n_slots + 1);
    this.listStarts = array('list_starts', '<u4', n_cells + 1);
    this.codes = array('codes', '|u1', n_codes, n_subspaces);
    this.centroids = array('centroids', '<f4', n_cells, dim);
    this.rotation = array('rotation', '<f4', dim, dim);
    this.books = isWhole
      ? inSteps(array('words', '|i1', n_subspaces, 256, width), array('word_steps', '<f4', n_subspaces))
      : array('pq_centroids', '<f4', n_subspaces, 256, width);
    this.smoothing = isWhole ? array('smoothing', '<f4', 3 * dim + 1, dim) : null;
    this.cohort = files.cohort ? array('cohort', '<f4', null, dim) : this.directions();
    this.order = new Order(array('order_bits', '<u8', passes, 8 * blocks), array('order_counts', '<u4', passes, blocks + 1),
      n_fingerprints, n_cells);
    this.annoy = new Annoy(files.cells, n_cells, dim);
    checkStarts(this.songStarts, n_fingerprints, 'song_starts');
    checkStarts(this.listStarts, n_codes, 'list_starts');
    this.rotatedCentroids = new Map();
    this.decoded = new Map();
    this.vectors = new Map();
  }

  // The cells' centroids at length 1.
  directions() {
    const rows = Float64Array.from(this.centroids);
    for (let at = 0; at < rows.length; at += this.dim) {
      const row = rows.subarray(at, at + this.dim);
      const length = Math.max(Math.hypot(...row), 1e-12);
      row.forEach((x, i) => { row[i] = x / length; });
    }
    return rows;
  }

  centroid(cell) { return this.centroids.subarray(cell * this.dim, (cell + 1) * this.dim); }

  rotate(x) {
    const result = new Float64Array(this.dim);
    for (let i = 0, r = 0; i < this.dim; i++) {
      for (let j = 0; j < this.dim; j++, r++) result[i] += this.rotation[r] * x[j];
    }
    return result;
  }

  // The stored vector of a row of codes, in rotated coordinates, of the length that it decodes to.
  decode(cell, row) {
    if (!this.rotatedCentroids.has(cell)) this.rotatedCentroids.set(cell, this.rotate(this.centroid(cell)));
    const v = Float64Array.from(this.rotatedCentroids.get(cell));
    for (let s = 0; s < this.nSubspaces; s++) {
      const book = (s * 256 + this.codes[row * this.nSubspaces + s]) * this.width;
      for (let j = 0; j < this.width; j++) v[s * this.step + j] += this.books[book + j];
    }
    return v;
  }

  // The estimate of a vector from what is decoded of it and of its neighbors; a missing one counts as the other, and
  // where both are missing, as the vector itself.
  smooth(before, own, after) {
    const { dim, smoothing } = this;
    const instead = before ?? after ?? own;
    const estimate = Float64Array.from(smoothing.subarray(3 * dim * dim));
    [instead, own, after ?? instead].forEach((part, number) => {
      for (let i = 0, row = number * dim * dim; i < dim; i++, row += dim) {
        for (let j = 0; j < dim; j++) estimate[j] += part[i] * smoothing[row + j];
      }
    });
    return estimate;
  }

  // The vector at a position of a song that queries are compared with; null outside of the song and for silence.
  vectorAt(song, position) {
    const own = this.decodedAt(song, position);
    if (!own) return null;
    const fingerprint = this.songStarts[song] + position;
    if (!this.vectors.has(fingerprint)) {
      const [before, after] = [this.decodedAt(song, position - 1), this.decodedAt(song, position + 1)];
      this.vectors.set(fingerprint, normalized(this.smoothing ? this.smooth(before, own, after) : own));
    }
    return this.vectors.get(fingerprint);
  }

  // What is decoded at a position of a song; null outside of the song and for silence.
  decodedAt(song, position) {
    const fingerprint = this.songStarts[song] + position;
    if (position < 0 || fingerprint >= this.songStarts[song + 1]) return null;
    if (!this.decoded.has(fingerprint)) {
      const { cell, position: row } = this.order.locate(fingerprint);
      if (cell < this.nCells && !(row >= this.listStarts[cell] && row < this.listStarts[cell + 1])) {
        throw new Error('the order leads to a code of another cell');
      }
      this.decoded.set(fingerprint, cell < this.nCells ? this.decode(cell, row) : null);
    }
    return this.decoded.get(fingerprint);
  }

  // Song and position of a fingerprint. Empty slots share their start with the next song, so the last one counts.
  songOf(fingerprint) {
    let low = 0;
    let high = this.nSlots - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.songStarts[middle] <= fingerprint) low = middle; else high = middle - 1;
    }
    return { song: low, position: fingerprint - this.songStarts[low] };
  }
}

// Words that are stored as whole numbers, with a step for each byte of a code.
function inSteps(numbers, steps) {
  const size = numbers.length / steps.length;
  steps.forEach((step, s) => {
    const largest = numbers.subarray(s * size, (s + 1) * size).reduce((most, n) => Math.max(most, Math.abs(n)), 0);
    // Of 16 significant bits: a power of two times a whole number below 2^16.
    const fits = largest ? largest === 127 && step > 0 : step === 1;
    const digits = fits ? step / 2 ** (Math.floor(Math.log2(step)) - 15) : NaN;
    if (!Number.isInteger(digits)) throw new Error('word_steps do not fit the words');
  });
  const words = Float32Array.from(numbers, (number, at) => number * steps[Math.floor(at / size)]);
  if (!words.every((x) => Math.abs(x) <= 4)) throw new Error('words: a number beyond +-4');
  return words;
}

function checkStarts(starts, end, name) {
  if (starts[0] !== 0 || starts.at(-1) !== end || !starts.every((x, i) => i === 0 || x >= starts[i - 1])) {
    throw new Error(`${name} does not ascend from 0 to ${end}`);
  }
}
