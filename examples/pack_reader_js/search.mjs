// Nearest fingerprints (section 5 of docs/pack-format.md): choose cells, scan their codes with whole numbers, refine the best.
import { dot, normalized, roundEven } from './numbers.mjs';

const MIN_SCAN = 50000;
const SEARCH_K = 2000;

// The cells to scan, shared by all vectors of a query, in the order in which they are scanned.
function chooseCells(pack, queries, probe) {
  const wanted = Math.max(MIN_SCAN, Math.min(0.03 * pack.nFingerprints, 4 * MIN_SCAN), 0.005 * pack.nFingerprints);
  const ranks = probe || Math.ceil((1.5 * pack.nCells * wanted) / pack.nFingerprints);
  if (ranks >= pack.nCells) return Array.from({ length: pack.nCells }, (_, cell) => cell);
  const lists = queries.map((q) => pack.annoy.nearest(q, ranks, Math.max(SEARCH_K, 4 * ranks)));
  const cells = new Set();
  let codes = 0;
  for (let rank = 0; rank < ranks; rank++) {
    for (const list of lists) {
      if (rank >= list.length || cells.has(list[rank])) continue;
      const cell = list[rank];
      cells.add(cell);
      codes += pack.listStarts[cell + 1] - pack.listStarts[cell];
      if (!probe && codes >= wanted) return [...cells];
    }
  }
  return [...cells];
}

// Rows of codes with the largest whole-number scores.
function scan(pack, cells, query, rotated, keep) {
  const { nSubspaces, width, step, books, codes, listStarts } = pack;
  const table = new Float64Array(nSubspaces * 256);
  const low = new Array(nSubspaces).fill(Infinity);
  let span = 0;
  for (let s = 0; s < nSubspaces; s++) {
    let high = -Infinity;
    for (let b = 0; b < 256; b++) {
      let t = 0;
      for (let j = 0; j < width; j++) t += books[(s * 256 + b) * width + j] * rotated[s * step + j];
      table[s * 256 + b] = t;
      low[s] = Math.min(low[s], t);
      high = Math.max(high, t);
    }
    span += high - low[s];
  }
  const base = cells.map((cell) => dot(pack.centroid(cell), query));
  const lowest = base.reduce((a, b) => Math.min(a, b));
  span += base.reduce((a, b) => Math.max(a, b)) - lowest;
  const scale = 65000 / Math.max(span, 1e-6);
  const whole = table.map((t, i) => roundEven((t - low[i >> 8]) * scale));

  const found = [];
  cells.forEach((cell, c) => {
    const start = roundEven((base[c] - lowest) * scale);
    for (let row = listStarts[cell]; row < listStarts[cell + 1]; row++) {
      let score = start;
      for (let s = 0; s < nSubspaces; s++) score += whole[s * 256 + codes[row * nSubspaces + s]];
      found.push({ cell, row, score });
    }
  });
  return found.sort((a, b) => b.score - a.score).slice(0, keep); // stable: the first of equal ones first
}

// For each query vector its neighbors: {song, position, similarity}, the nearest first.
export function findNeighbors(pack, queries, rotated, { probe, neighbors }) {
  if (!pack.nCodes) return queries.map(() => []);
  const cells = chooseCells(pack, queries, probe);
  return queries.map((query, q) => scan(pack, cells, query, rotated[q], 3 * neighbors)
    .map(({ cell, row }) => ({ cell, row, similarity: dot(normalized(pack.decode(cell, row)), rotated[q]) }))
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, neighbors)
    .map(({ cell, row, similarity }) => ({ ...pack.songOf(pack.order.fingerprint(row, cell)), similarity })));
}
