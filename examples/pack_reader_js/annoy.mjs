// The Annoy index over the centroids (section 6 of docs/pack-format.md): the cells nearest to a query vector.
import { dot } from './numbers.mjs';

export class Annoy {
  constructor(data, nCells, dim) {
    this.nCells = nCells;
    this.leafMax = dim + 2;
    this.words = 3 + dim;
    if (data.length % (4 * this.words)) throw new Error('cells has the wrong length');
    this.nNodes = data.length / (4 * this.words);
    const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.length);
    this.ints = new Int32Array(buffer);
    this.floats = new Float32Array(buffer);
    this.check();
    this.roots = this.findRoots();
  }

  count(node) { return this.ints[node * this.words]; }
  child(node, i) { return this.ints[node * this.words + 1 + i]; }
  vector(node) { return this.floats.subarray(node * this.words + 3, (node + 1) * this.words); }

  check() {
    if (this.nNodes <= this.nCells) throw new Error('cells has no roots');
    for (let node = 0; node < this.nNodes; node++) {
      const count = this.count(node);
      const isCell = node < this.nCells;
      if (isCell ? count !== 1 : count < 1 || count > this.nCells) throw new Error('bad count in cells');
      const isLeaf = !isCell && count <= this.leafMax;
      // Children below their parents: a search cannot run in circles.
      const limit = isLeaf ? this.nCells : node;
      for (let i = 0; !isCell && i < (isLeaf ? count : 2); i++) {
        if (this.child(node, i) < 0 || this.child(node, i) >= limit) throw new Error('bad child in cells');
      }
      if (!isLeaf && !this.vector(node).every((x) => Math.abs(x) <= 4)) throw new Error('a number beyond +-4 in cells');
    }
  }

  findRoots() {
    const roots = [];
    for (let node = this.nNodes - 1; node >= this.nCells && this.count(node) === this.nCells; node--) roots.push(node);
    if (!roots.length) throw new Error('cells has no roots');
    if (roots.length > 1 && this.child(roots[0], 0) === this.child(roots.at(-1), 0)) roots.shift();
    return roots;
  }

  nearest(query, ranks, searchK) {
    // A binary heap would be faster; a sorted list with insertion is short and quick enough here.
    const queue = [];
    const push = (bound, node) => {
      let low = 0;
      let high = queue.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        const other = queue[middle];
        if (other.bound < bound || (other.bound === bound && other.node < node)) low = middle + 1; else high = middle;
      }
      queue.splice(low, 0, { bound, node });
    };
    for (const root of this.roots) push(Infinity, root);
    const found = new Set();
    let count = 0; // with repetitions: the limit bounds the work
    while (count < searchK && queue.length) {
      const { bound, node } = queue.pop();
      const size = this.count(node);
      if (node < this.nCells) {
        found.add(node);
        count++;
      } else if (size <= this.leafMax) {
        for (let i = 0; i < size; i++) found.add(this.child(node, i));
        count += size;
      } else {
        const margin = dot(this.vector(node), query);
        push(Math.min(bound, margin), this.child(node, 1));
        push(Math.min(bound, -margin), this.child(node, 0));
      }
    }
    const cells = [...found].map((cell) => {
      const v = this.vector(cell);
      return { cell, cosine: dot(v, query) / (Math.sqrt(dot(v, v)) || 1) };
    });
    cells.sort((a, b) => b.cosine - a.cosine || a.cell - b.cell);
    return cells.slice(0, ranks).map(({ cell }) => cell);
  }
}
