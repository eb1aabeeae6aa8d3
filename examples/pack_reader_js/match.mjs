// From neighbors to a song: section 8 of docs/pack-format.md.
import { dot } from './pack.mjs';
import { DEFAULTS, nearest, roundEven } from './search.mjs';

const NO_SCORE = -3;
const SOFTNESS = 0.15;
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Returns {song, offsetS, rawScore, score, threshold, accepted, evidence}, or null where nothing sounds or is found. */
export function match(pack, rows, hopS, acceptance, options = {}) {
  const chosen = { ...DEFAULTS, ...options };
  const sounding = rows.map((vector, i) => ({ vector, timeS: i * hopS })).filter(({ vector }) => vector.some((x) => x !== 0));
  if (sounding.length === 0) return null;
  const queries = sounding.map(({ vector }) => vector);
  const query = { queries, timesS: sounding.map(({ timeS }) => timeS), rotated: queries.map((one) => pack.rotate(one)) };
  Object.assign(query, cohort(pack, queries));
  const neighbors = nearest(pack, queries, chosen).map((row) =>
    row.map((one) => {
      const song = pack.songOf(one.fingerprint);
      return { ...one, song, position: one.fingerprint - pack.songStarts[song] };
    }),
  );
  if (neighbors.every((row) => row.length === 0)) return null;
  const memory = new Map();
  const scored = (alignments) => alignments.map((one) => sequenceScore(pack, query, one, memory));
  const aligned = scored(histogram(neighbors, query.timesS, pack.manifest.hop_s, chosen.candidates));
  aligned.sort((a, b) => b.score - a.score);
  const [best] = aligned;
  const shifted = scored([-8, -4, -2, 2, 4, 8].map((shift) => ({ song: best.song, offsetS: best.offsetS + shift })));
  const same = sameMusic(pack, query, aligned);
  const evidence = gather(aligned, shifted, neighbors, query, new Set(same.map((one) => one.song)));
  const n = queries.length;
  const score = probability(evidence, n, pack.manifest.n_fingerprints, acceptance);
  const threshold = thresholdFor(n, acceptance);
  const [named, ...others] = preferredFirst(same, pack);
  const { song, offsetS, score: rawScore } = named;
  const also = others.map((one) => one.song);
  return { song, offsetS, rawScore, score, threshold, accepted: score >= threshold, evidence, also };
}

function cohort(pack, queries) {
  const { dim } = pack.manifest;
  const count = pack.cohort.length / dim;
  const near = [];
  const nearestCohort = [];
  for (const query of queries) {
    const products = Array.from({ length: count }, (_, i) => dot(pack.cohort, i * dim, query)).sort((a, b) => b - a);
    near.push(mean(products.slice(0, 20)));
    nearestCohort.push(products[0]);
  }
  return { near, nearestCohort };
}

function histogram(neighbors, timesS, hopS, limit) {
  const stepS = hopS / 2;
  const bins = new Map();
  neighbors.forEach((row, q) => {
    const floor = row.reduce((least, one) => Math.min(least, one.similarity), Infinity);
    for (const { song, position, similarity } of row) {
      const step = roundEven((position * hopS - timesS[q]) / stepS);
      for (const beside of [-1, 0, 1]) {
        const key = `${song} ${step + beside}`;
        if (!bins.has(key)) bins.set(key, { song, step: step + beside, ofQuery: new Map() });
        const weight = (similarity - floor + 0.001) * (beside === 0 ? 1 : 0.9);
        const { ofQuery } = bins.get(key);
        ofQuery.set(q, Math.max(ofQuery.get(q) ?? 0, weight));
      }
    }
  });
  const weighed = [...bins.values()].map(({ song, step, ofQuery }) => ({
    song,
    step,
    offsetS: step * stepS,
    weight: [...ofQuery.values()].reduce((sum, value) => sum + value, 0),
  }));
  weighed.sort((a, b) => b.weight - a.weight || a.song - b.song || a.step - b.step);
  const ofSong = new Map();
  const kept = weighed.filter(({ song }) => {
    ofSong.set(song, (ofSong.get(song) ?? 0) + 1);
    return ofSong.get(song) <= 6;
  });
  return kept.slice(0, limit);
}

function sequenceScore(pack, query, { song, offsetS }, memory) {
  const hopS = pack.manifest.hop_s;
  const trials = Array.from({ length: 13 }, (_, i) => {
    const trialS = offsetS + hopS * (-0.75 + 0.125 * i);
    let covered = 0;
    const sim = query.timesS.map((timeS, q) => {
      const value = similarityAt(pack, query, song, (trialS + timeS) / hopS, q, memory);
      covered += value === null ? 0 : 1;
      return value ?? query.near[q];
    });
    const soft = SOFTNESS * Math.log(mean(sim.map((value, q) => Math.exp((value - query.near[q]) / SOFTNESS))));
    return { trialS, sim, covered, score: 2 * covered < sim.length ? NO_SCORE : soft };
  });
  let best = 0;
  trials.forEach((trial, i) => {
    if (trial.score > trials[best].score) best = i;
  });
  const here = trials[best];
  let refinedS = here.trialS;
  if (best > 0 && best < 12) {
    const [before, after] = [trials[best - 1].score, trials[best + 1].score];
    const curvature = 2 * here.score - before - after;
    if (before > NO_SCORE && after > NO_SCORE && curvature > 1e-9) {
      refinedS += ((0.5 * (after - before)) / curvature) * 0.125 * hopS;
    }
  }
  return { song, offsetS: refinedS, score: here.score, sim: here.sim, covered: here.covered };
}

/** Returns the first alignment, and the best one of every song that is the same music there. */
function sameMusic(pack, query, aligned) {
  const [best] = aligned;
  const hopS = pack.manifest.hop_s;
  const near = aligned.filter((one) => one.song !== best.song && one.score >= best.score - 0.15).slice(0, 48);
  const start = pack.songStarts[best.song];
  const length = pack.songStarts[best.song + 1] - start;
  const first = Math.max(0, Math.floor((best.offsetS + query.timesS[0] - 4) / hopS));
  const last = Math.min(length - 1, Math.ceil((best.offsetS + query.timesS.at(-1) + 4) / hopS));
  const stretch = [];
  for (let position = first; near.length > 0 && position <= last; position++) {
    const vector = pack.vector(start + position);
    if (vector) stretch.push({ vector, timeS: position * hopS });
  }
  if (stretch.length === 0) return [best];
  const beginS = stretch[0].timeS;
  const laid = {
    rotated: stretch.map(({ vector }) => vector),
    timesS: stretch.map(({ timeS }) => timeS - beginS),
    near: stretch.map(() => 0),
  };
  const memory = new Map();
  const songs = new Set();
  for (const { song, offsetS } of near) {
    const there = sequenceScore(pack, laid, { song, offsetS: offsetS - best.offsetS + beginS }, memory);
    const agreement = there.sim.reduce((sum, value) => sum + value, 0) / Math.max(there.covered, 1);
    if (2 * there.covered >= stretch.length && agreement >= 0.75) songs.add(song);
  }
  return [best, ...near.filter((one) => songs.has(one.song) && songs.delete(one.song))];
}

function preferredFirst(same, pack) {
  const points = ({ title, artist, album, source, external_ids: ids }) => {
    const stem = source.replaceAll('\\', '/').split('/').at(-1).replace(/\.[^.]*$/, '');
    return (title && title !== stem ? 2 : 0) + (artist ? 2 : 0) + (album ? 1 : 0) + (ids !== '{}' ? 1 : 0);
  };
  const rank = (one) => [one.score >= same[0].score - 0.05 ? 0 : 1, -(pack.tags ? points(pack.tags(one.song)) : 0), one.song];
  return [...same].sort((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    const at = left.findIndex((value, i) => value !== right[i]);
    return at < 0 ? 0 : left[at] - right[at];
  });
}

function similarityAt(pack, query, song, x, q, memory) {
  const left = Math.floor(x + 1e-9);
  const fraction = x - left;
  const [low, high] = [left, left + 1].map((position) => reference(pack, query, song, position, memory));
  if (low && high) {
    low.next ??= Math.min(Math.max(dot(low.vector, 0, high.vector), 0), 1);
    const squared = 1 - 2 * fraction * (1 - fraction) * (1 - low.next);
    return ((1 - fraction) * low.similarities[q] + fraction * high.similarities[q]) / Math.sqrt(squared);
  }
  if (low && fraction <= 0.5) return low.similarities[q];
  return high && fraction >= 0.5 ? high.similarities[q] : null;
}

function reference(pack, query, song, position, memory) {
  const number = pack.songStarts[song] + position;
  if (position < 0 || number >= pack.songStarts[song + 1]) return null;
  if (!memory.has(number)) {
    const vector = pack.vector(number);
    memory.set(number, vector && { vector, similarities: query.rotated.map((one) => dot(vector, 0, one)) });
  }
  return memory.get(number);
}

function gather(aligned, shifted, neighbors, { near, nearestCohort }, same) {
  const { score, sim } = aligned[0];
  const others = neighbors.map((row) =>
    row.filter((one) => !same.has(one.song)).map((one) => one.similarity).sort((a, b) => b - a),
  );
  const density = others.map((row, q) => {
    const largest = row.slice(0, 20);
    return mean([...largest, ...Array(20 - largest.length).fill(near[q])]);
  });
  const lead = sim.map((value, q) => value - Math.max(others[q][0] ?? -Infinity, nearestCohort[q]));
  const runnerUp = aligned.find((one) => !same.has(one.song));
  const elsewhere = shifted.map((one) => (one.score > NO_SCORE ? one.score : 0)).sort((a, b) => b - a);
  return [
    mean(sim),
    mean(sim.map((value, q) => value - near[q])),
    mean(sim.map((value, q) => value - Math.max(near[q], density[q]))),
    runnerUp ? score - Math.max(0, runnerUp.score) : score,
    mean(lead.map((value) => (value > 0 ? 1 : 0))),
    Math.sqrt(mean(lead.map((value) => Math.max(value, 0) ** 2))),
    score - mean(elsewhere),
    Math.min(Math.max(score - elsewhere[1], -0.1), 0.1),
  ];
}

const sigmoid = (logit) => 1 / (1 + Math.exp(-Math.min(Math.max(logit, -40), 40)));
const logit = (probability) => Math.log(Math.max(probability, 1e-12)) - Math.log(Math.max(1 - probability, 1e-12));

function probability(evidence, n, fingerprints, acceptance) {
  const features = [...evidence, Math.log(n), ...evidence.map((value) => value * Math.log(n))];
  const sum = features.reduce((total, value, i) => total + value * acceptance.coefficients[i], acceptance.intercept);
  const { size_slope: slope = 0, n_fitted: fitted = 1 } = acceptance;
  return sigmoid(sum - slope * Math.log(Math.max(1, fingerprints / fitted)));
}

function thresholdFor(n, { threshold, threshold_single: single }) {
  const share = Math.min(Math.log(n) / Math.log(12), 1);
  return share === 1 ? threshold : share === 0 ? single : sigmoid((1 - share) * logit(single) + share * logit(threshold));
}
