// A song database, read and checked as docs/pack-format.md says.
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Annoy } from './annoy.mjs';
import { parseNpy } from './npy.mjs';
import { Order } from './order.mjs';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Returns JSON with sorted keys and no white space; numbers keep the text they have in the file. */
function canonical(text) {
  // JSON.parse would turn 1.0 into 1, and the digest with it: numbers travel as marked texts.
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (part) => (part[0] === '"' ? part : `{"#":"${part}"}`));
  const write = (value) => {
    if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
    if (value === null || typeof value !== 'object') return JSON.stringify(value);
    if ('#' in value) return value['#'];
    return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${write(value[key])}`).join(',')}}`;
  };
  const table = JSON.parse(marked);
  delete table.digest;
  return write(table);
}

export class Pack {
  constructor(folder, embeddingSpace) {
    const text = readFileSync(join(folder, 'manifest.json'), 'utf8');
    const manifest = JSON.parse(text);
    if (manifest.kind !== 'database' || manifest.schema_version !== 2) throw new Error('not a database of schema 2');
    if (sha256(canonical(text)) !== manifest.digest) throw new Error('the manifest differs from its digest');
    if (manifest.layout !== 'pq') throw new Error(`layout ${manifest.layout} is not read here`);
    if (embeddingSpace !== undefined && manifest.embedding_space !== embeddingSpace) {
      throw new Error(`made for the encoder ${manifest.embedding_space}, not ${embeddingSpace}`);
    }
    this.manifest = manifest;
    this.folder = folder;
    const { dim, n_cells: cells, n_subspaces: subspaces, n_fingerprints: n } = manifest;
    const array = (role, type, shape) => parseNpy(this.read(role), type, shape).data;
    this.songStarts = array('song_starts', '<u4', [manifest.n_slots + 1]);
    this.listStarts = array('list_starts', '<u4', [cells + 1]);
    this.codes = array('codes', '|u1', [manifest.n_codes, subspaces]);
    this.centroids = array('centroids', '<f4', [cells, dim]);
    this.rotation = array('rotation', '<f4', [dim, dim]);
    this.parts = array('pq_centroids', '<f4', [subspaces, 256, dim / subspaces]);
    this.cohort = array('cohort', '<f4', [null, dim]);
    const passes = Math.max(1, cells.toString(2).length);
    const blocks = Math.ceil(n / 512);
    const bits = array('order_bits', '<u8', [passes, 8 * blocks]);
    this.order = new Order(n, passes, blocks, bits, array('order_counts', '<u4', [passes, blocks + 1]));
    this.annoy = new Annoy(this.read('cells'), cells, dim);
    this.songsFile = this.read('songs');
    for (const [starts, end] of [[this.songStarts, n], [this.listStarts, manifest.n_codes]]) {
      const ascends = starts.every((value, i) => (i === 0 ? value === 0 : value >= starts[i - 1]));
      if (!ascends || starts[starts.length - 1] !== end) throw new Error('ranges do not cover what they should');
    }
    this.rotated = new Map();
  }

  /** Returns the content of the file that plays a role, after a look at its name, size and hash. */
  read(role) {
    const { name, bytes, sha256: hash } = this.manifest.files[role];
    if (!/^[a-z_]+-[0-9]{1,9}\.(npy|ann|sqlite)$/.test(name)) throw new Error(`${role}: a name that is not ours`);
    const path = join(this.folder, name);
    if (!lstatSync(path).isFile()) throw new Error(`${name}: a link or no file`);
    const content = readFileSync(path);
    if (content.length !== bytes || sha256(content) !== hash) throw new Error(`${name}: damaged`);
    return new Uint8Array(content.buffer, content.byteOffset, content.length);
  }

  /** Returns R x. */
  rotate(x) {
    const { dim } = this.manifest;
    const result = new Float32Array(dim);
    for (let i = 0; i < dim; i++) result[i] = dot(this.rotation, i * dim, x);
    return result;
  }

  /** Returns the stored vector of a code in rotated coordinates. */
  decode(cell, position) {
    const { dim, n_subspaces: subspaces } = this.manifest;
    const width = dim / subspaces;
    if (!this.rotated.has(cell)) this.rotated.set(cell, this.rotate(this.centroids.subarray(cell * dim, (cell + 1) * dim)));
    const vector = Float32Array.from(this.rotated.get(cell));
    for (let s = 0; s < subspaces; s++) {
      const part = (s * 256 + this.codes[position * subspaces + s]) * width;
      for (let j = 0; j < width; j++) vector[s * width + j] += this.parts[part + j];
    }
    const length = Math.sqrt(dot(vector, 0, vector));
    return vector.map((value) => value / Math.max(length, 1e-6) ** 1.5);
  }

  /** Returns a fingerprint's vector, or null for silence. */
  vector(fingerprint) {
    const [cell, position] = this.order.locate(fingerprint);
    return cell < this.manifest.n_cells ? this.decode(cell, position) : null;
  }

  /** Returns the song of a fingerprint: the last one that begins at or before it. */
  songOf(fingerprint) {
    let low = 0;
    let high = this.songStarts.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.songStarts[middle] <= fingerprint) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** Returns the inner product of a row that begins at `start` with x. */
export function dot(rows, start, x) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += rows[start + i] * x[i];
  return sum;
}
