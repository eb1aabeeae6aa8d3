// From neighbors to a song (section 8 of docs/pack-format.md): the best alignment, its copies, the evidence, the decision.
import { clamp, dot, largest, mean } from './numbers.mjs';
import { findNeighbors } from './search.mjs';
import { histogram, sequenceScore } from './align.mjs';

const TOP = 20;
const SPREAD = 100;
const DEFAULTS = { probe: 0, neighbors: 128, candidates: 96 };

// Songs whose recording at this place is the one of the first alignment.
function sameMusic(pack, times, alignments) {
  const [first] = alignments;
  const others = alignments.filter((a) => a.song !== first.song && a.score >= first.score - 0.15).slice(0, 48);
  const length = pack.songStarts[first.song + 1] - pack.songStarts[first.song];
  const from = Math.max(0, Math.floor((first.offset + times[0] - 4) / pack.hop));
  const to = Math.min(length - 1, Math.ceil((first.offset + times.at(-1) + 4) / pack.hop));
  const stretch = { vectors: [], times: [], near: [] };
  let begin = null;
  for (let position = from; position <= to; position++) {
    const vector = pack.vectorAt(first.song, position);
    if (!vector) continue;
    begin ??= position * pack.hop;
    stretch.vectors.push(vector);
    stretch.times.push(position * pack.hop - begin);
    stretch.near.push(0);
  }
  const same = new Set();
  if (begin === null) return same;
  for (const { song, offset } of others) {
    if (same.has(song)) continue;
    const { covered } = sequenceScore(pack, stretch, song, offset - first.offset + begin);
    if (2 * covered.length >= stretch.vectors.length && mean(covered) >= 0.75) same.add(song);
  }
  return same;
}

// Standard deviation, at least 0.02.
function deviation(values) {
  const middle = mean(values);
  return Math.max(Math.sqrt(mean(values.map((x) => (x - middle) ** 2))), 0.02);
}

function evidence(pack, query, first, alignments, neighbors, same) {
  const { near, nearest, spread, plain } = query;
  const S = first.score;
  const isOther = ({ song }) => song !== first.song && !same.has(song);
  const others = neighbors.map((list) => list.filter(isOther).map(({ similarity }) => similarity));
  const density = others.map((list, q) => {
    const top = largest(list, TOP);
    return mean([...top, ...new Array(TOP - top.length).fill(near[q])]);
  });
  const lead = first.sims.map((sim, q) => sim - Math.max(nearest[q], ...others[q]));
  const rival = alignments.find(isOther); // they are sorted
  const shifted = [-8, -4, -2, 2, 4, 8].map((seconds) => {
    const { score } = sequenceScore(pack, query, first.song, first.offset + seconds);
    return score === -3 ? 0 : score;
  });
  return [
    mean(first.sims),
    mean(first.sims.map((sim, q) => sim - near[q])),
    mean(first.sims.map((sim, q) => sim - Math.max(near[q], density[q]))),
    S - Math.max(0, rival?.score ?? 0),
    mean(lead.map((x) => (x > 0 ? 1 : 0))),
    Math.sqrt(mean(lead.map((x) => Math.max(x, 0) ** 2))),
    S - mean(shifted),
    clamp(S - largest(shifted, 2)[1], -0.1, 0.1),
    mean(first.sims.map((sim, q) => (sim - Math.max(near[q], density[q])) / spread[q])),
    Math.max(plain[0].reduce((sum, _, i) => sum + mean(plain.map((row) => row[i])) ** 2, 0) - 0.8, 0),
  ];
}

const logit = (p) => Math.log(Math.max(p, 1e-12)) - Math.log(Math.max(1 - p, 1e-12));

function decide(table, measures, n, nFingerprints) {
  const log = Math.log(n);
  const features = [...measures, log, ...measures.map((x) => x * log)];
  if (table.coefficients.length !== features.length) throw new Error('acceptance has other features');
  const growth = Math.log(nFingerprints / (table.n_fitted ?? 1));
  const side = growth >= 0 ? 'size_slope' : 'small_size_slope';
  const slope = (table[side] ?? 0) + (table[`${side}_x_log_fingerprints`] ?? 0) * log;
  const value = clamp(table.intercept + dot(table.coefficients, features) - slope * Math.abs(growth), -40, 40);
  const score = 1 / (1 + Math.exp(-value));
  const share = Math.min(1, log / Math.log(12));
  const single = logit(table.threshold_single);
  const threshold = share === 1 ? table.threshold : 1 / (1 + Math.exp(-(single + share * (logit(table.threshold) - single))));
  return { score, threshold, accepted: score >= threshold };
}

// rows: one vector every hopS seconds, the first one at options.firstS (0) of the query; a row of zeros is silence.
export function match(pack, rows, hopS, acceptance, options = {}) {
  const settings = { ...DEFAULTS, ...options };
  const sounding = rows.map((row, i) => i).filter((i) => rows[i] && rows[i].some((x) => x !== 0));
  if (!sounding.length) return null;
  const plain = sounding.map((i) => rows[i]);
  const times = sounding.map((i) => i * hopS + (options.firstS ?? 0));
  const vectors = plain.map((row) => pack.rotate(row));
  const cohort = plain.map((row) => {
    const products = [];
    for (let i = 0; i < pack.cohort.length; i += pack.dim) products.push(dot(row, pack.cohort.subarray(i, i + pack.dim)));
    return largest(products, SPREAD);
  });
  const query = { vectors, times, plain, near: cohort.map((top) => mean(top.slice(0, TOP))), nearest: cohort.map((top) => top[0]),
    spread: cohort.map(deviation) };

  const neighbors = findNeighbors(pack, plain, vectors, settings);
  const alignments = histogram(pack, times, neighbors, settings.candidates)
    .map(({ song, offset }) => sequenceScore(pack, query, song, offset)).sort((a, b) => b.score - a.score);
  if (!alignments.length) return null;

  const [first] = alignments;
  const same = sameMusic(pack, times, alignments);
  const copies = [first.song, ...same];
  const measures = evidence(pack, query, first, alignments, neighbors, same);
  const { score, threshold, accepted } = decide(acceptance, measures, plain.length, pack.nFingerprints);

  const points = ({ song }) => pack.tags.get(song)?.points ?? 0;
  const tooLow = ({ score }) => (score >= first.score - 0.05 ? 0 : 1);
  const [named, ...others] = copies.map((song) => alignments.find((a) => a.song === song))
    .sort((a, b) => tooLow(a) - tooLow(b) || points(b) - points(a) || a.song - b.song);
  return { song: named.song, also: others.map(({ song }) => song), accepted,
    offsetS: named.offset, rawScore: named.score, score, threshold, evidence: measures,
    title: pack.tags.get(named.song)?.title ?? null };
}
