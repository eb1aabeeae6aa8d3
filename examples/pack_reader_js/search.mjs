// The nearest fingerprints of a query: section 5 of docs/pack-format.md.
import { dot } from './pack.mjs';

export const DEFAULTS = { probe: 0, minScan: 50_000, searchK: 2_000, neighbors: 128, candidates: 96, best: 5 };

/** Returns a row of {fingerprint, similarity}, nearest first, for every query vector. */
export function nearest(pack, queries, options) {
  const cells = probe(pack, queries, options);
  return queries.map((query) => {
    const rotated = pack.rotate(query);
    const { columns, cellOf, positionOf } = scan(pack, query, rotated, cells, 3 * options.neighbors);
    const refined = columns.map((column) => ({
      cell: cellOf[column],
      position: positionOf[column],
      similarity: Math.fround(dot(pack.decode(cellOf[column], positionOf[column]), 0, rotated)),
    }));
    refined.sort((a, b) => b.similarity - a.similarity);
    return refined.slice(0, options.neighbors).map(({ cell, position, similarity }) => ({
      fingerprint: pack.order.fingerprint(position, cell),
      similarity,
    }));
  });
}

function probe(pack, queries, { probe: fixed, minScan, searchK }) {
  const { n_cells: n, n_fingerprints: fingerprints } = pack.manifest;
  const wanted = Math.max(minScan, 0.005 * fingerprints);
  const ranks = fixed || Math.ceil((1.5 * n * wanted) / fingerprints);
  if (ranks >= n) return Array.from({ length: n }, (_, cell) => cell);
  const found = queries.map((query) => pack.annoy.nearest(query, ranks, Math.max(searchK, 4 * ranks)));
  const cells = new Set();
  let held = 0;
  for (let rank = 0; rank < ranks; rank++) {
    for (const row of found) {
      if (rank < row.length && !cells.has(row[rank]) && (fixed || held < wanted)) {
        cells.add(row[rank]);
        held += pack.listStarts[row[rank] + 1] - pack.listStarts[row[rank]];
      }
    }
  }
  return [...cells];
}

function scan(pack, query, rotated, cells, n) {
  const { dim, n_subspaces: subspaces } = pack.manifest;
  const width = dim / subspaces;
  const coarse = cells.map((cell) => Math.fround(dot(pack.centroids, cell * dim, query)));
  const table = new Float32Array(subspaces * 256);
  const low = new Float32Array(subspaces).fill(Infinity);
  const high = new Float32Array(subspaces).fill(-Infinity);
  for (let entry = 0; entry < table.length; entry++) {
    const s = entry >> 8;
    table[entry] = dot(pack.parts, entry * width, rotated.subarray(s * width, (s + 1) * width));
    low[s] = Math.min(low[s], table[entry]);
    high[s] = Math.max(high[s], table[entry]);
  }
  const lowest = coarse.reduce((a, b) => Math.min(a, b));
  const span = low.reduce((sum, value, s) => sum + high[s] - value, 0) + coarse.reduce((a, b) => Math.max(a, b)) - lowest;
  const steps = 65_000 / Math.max(span, 1e-6);
  for (let entry = 0; entry < table.length; entry++) table[entry] = roundEven((table[entry] - low[entry >> 8]) * steps);
  const sums = [];
  const cellOf = [];
  const positionOf = [];
  cells.forEach((cell, i) => {
    const base = roundEven((coarse[i] - lowest) * steps);
    for (let position = pack.listStarts[cell]; position < pack.listStarts[cell + 1]; position++) {
      let sum = base;
      for (let s = 0; s < subspaces; s++) sum += table[(s << 8) + pack.codes[position * subspaces + s]];
      sums.push(sum);
      cellOf.push(cell);
      positionOf.push(position);
    }
  });
  const columns = sums.map((_, column) => column).sort((a, b) => sums[b] - sums[a] || a - b);
  return { columns: columns.slice(0, n), cellOf, positionOf };
}

/** Rounds to the nearest whole number, halves to even. */
export function roundEven(value) {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}
