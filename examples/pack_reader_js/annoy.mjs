// The index over the cells: section 6 of docs/pack-format.md.
export class Annoy {
  constructor(bytes, items, dim) {
    this.width = 3 + dim;
    const content = bytes.slice();
    if (content.length % (4 * this.width) !== 0) throw new Error('not an Annoy file of this dimension');
    this.ints = new Int32Array(content.buffer);
    this.floats = new Float32Array(content.buffer);
    Object.assign(this, { items, dim });
    const n = this.ints.length / this.width;
    for (let node = 0; node < n; node++) this.check(node);
    let first = n - 1;
    while (first > 0 && this.count(first - 1) === items) first--;
    this.roots = [];
    for (let node = n - 1; node >= first; node--) this.roots.push(node);
    if (this.roots.length > 1 && this.child(n - 1, 0) === this.child(first, 0)) this.roots.pop();
  }

  check(node) {
    const count = this.count(node);
    const isLeaf = count <= this.dim + 2;
    const limit = isLeaf ? this.items : node;
    const n = node < this.items ? 0 : isLeaf ? count : 2;
    let valid = node < this.items ? count === 1 : count >= 1;
    for (let i = 0; i < n; i++) valid &&= this.child(node, i) >= 0 && this.child(node, i) < limit;
    if (!valid) throw new Error('the Annoy index points outside itself');
  }

  count(node) {
    return this.ints[node * this.width];
  }

  child(node, i) {
    return this.ints[node * this.width + 1 + i];
  }

  product(node, x) {
    let sum = 0;
    for (let i = 0; i < this.dim; i++) sum = Math.fround(sum + Math.fround(this.floats[node * this.width + 3 + i] * x[i]));
    return sum;
  }

  /** Returns the n cells at the smallest angles among searchK that are looked at. */
  nearest(query, n, searchK) {
    const queue = this.roots.map((node) => [Infinity, node]);
    const before = (a, b) => b[0] - a[0] || b[1] - a[1];
    queue.sort(before);
    const found = [];
    const push = (entry) => {
      let low = 0;
      let high = queue.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (before(queue[middle], entry) < 0) low = middle + 1;
        else high = middle;
      }
      queue.splice(low, 0, entry);
    };
    while (found.length < searchK && queue.length > 0) {
      const [bound, node] = queue.shift();
      const count = this.count(node);
      if (node < this.items) {
        found.push(node);
      } else if (count <= this.dim + 2) {
        for (let i = 0; i < count; i++) found.push(this.child(node, i));
      } else {
        const margin = this.product(node, query);
        push([Math.min(bound, margin), this.child(node, 1)]);
        push([Math.min(bound, -margin), this.child(node, 0)]);
      }
    }
    const cosine = (cell) => {
      const row = this.floats.subarray(cell * this.width + 3, (cell + 1) * this.width);
      const length = Math.sqrt(this.product(cell, row));
      return length > 0 ? this.product(cell, query) / length : 0;
    };
    const scored = [...new Set(found)].map((cell) => [cosine(cell), cell]);
    scored.sort((a, b) => b[0] - a[0] || a[1] - b[1]);
    return scored.slice(0, n).map(([, cell]) => cell);
  }
}
