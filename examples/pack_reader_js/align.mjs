// Alignments (section 8 of docs/pack-format.md): guesses (song, offset) from the neighbors, and how well a whole query fits at one.
import { clamp, dot, roundEven } from './numbers.mjs';

const PER_SONG = 6;
const NOT_COVERED = -3;
const SHARE = 0.15; // temperature of the mean over a query

// The heaviest bins of the offset histogram.
export function histogram(pack, times, neighbors, candidates) {
  const half = pack.hop / 2;
  const bins = new Map();
  neighbors.forEach((list, q) => {
    const least = list.reduce((low, { similarity }) => Math.min(low, similarity), Infinity);
    const own = new Map(); // of this query vector: one vote for each (song, step)
    for (const { song, position, similarity } of list) {
      const step = roundEven((position * pack.hop - times[q]) / half);
      const weight = similarity - least + 0.001;
      for (const beside of [-1, 0, 1]) {
        const key = `${song} ${step + beside}`;
        own.set(key, Math.max(own.get(key) ?? 0, beside ? 0.9 * weight : weight));
      }
    }
    for (const [key, weight] of own) bins.set(key, (bins.get(key) ?? 0) + weight);
  });
  const sorted = [...bins].map(([key, weight]) => {
    const [song, step] = key.split(' ').map(Number);
    return { song, step, weight };
  }).sort((a, b) => b.weight - a.weight || a.song - b.song || a.step - b.step);
  const perSong = new Map();
  return sorted.filter(({ song }) => {
    perSong.set(song, (perSong.get(song) ?? 0) + 1);
    return perSong.get(song) <= PER_SONG;
  }).slice(0, candidates).map(({ song, step }) => ({ song, offset: step * half }));
}

// Similarity of a query vector to a song between two of its fingerprints; null where the song has nothing.
function between(pack, song, x, vector) {
  const l = Math.floor(x + 1e-9);
  const f = x - l;
  const first = pack.vectorAt(song, l);
  const second = pack.vectorAt(song, l + 1);
  if (first && second) {
    const g = clamp(dot(first, second), 0, 1);
    return ((1 - f) * dot(vector, first) + f * dot(vector, second)) / Math.sqrt(1 - 2 * f * (1 - f) * (1 - g));
  }
  if (first && f <= 0.5) return dot(vector, first);
  if (second && f >= 0.5) return dot(vector, second);
  return null;
}

// The sequence score of a query {vectors (rotated), times, near} at (song, offset), with what the best trial saw.
export function sequenceScore(pack, query, song, offset) {
  const n = query.vectors.length;
  const trials = [];
  for (let step = -6; step <= 6; step++) {
    const at = offset + pack.hop * 0.125 * step;
    const found = query.vectors.map((v, q) => between(pack, song, (at + query.times[q]) / pack.hop, v));
    const covered = found.filter((s) => s !== null);
    const sims = found.map((s, q) => s ?? query.near[q]);
    const sum = sims.reduce((total, s, q) => total + Math.exp((s - query.near[q]) / SHARE), 0);
    trials.push({ at, sims, covered, score: 2 * covered.length < n ? NOT_COVERED : SHARE * Math.log(sum / n) });
  }
  let best = 0;
  trials.forEach(({ score }, i) => { if (score > trials[best].score) best = i; });
  const { at, sims, covered, score } = trials[best];
  const before = trials[best - 1]?.score ?? NOT_COVERED;
  const after = trials[best + 1]?.score ?? NOT_COVERED;
  const curve = 2 * score - before - after;
  // The top of a parabola through three trials is finer than the trials are.
  const shift = before > NOT_COVERED && after > NOT_COVERED && curve > 1e-9 ? (0.5 * (after - before)) / curve : 0;
  return { song, offset: at + shift * 0.125 * pack.hop, score, sims, covered };
}
