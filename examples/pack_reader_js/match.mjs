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
  const evidence = gather(aligned, shifted, neighbors, query);
  const n = queries.length;
  const score = probability(evidence, n, pack.manifest.n_fingerprints, acceptance);
  const threshold = thresholdFor(n, acceptance);
  const { song, offsetS, score: rawScore } = best;
  return { song, offsetS, rawScore, score, threshold, accepted: score >= threshold, evidence };
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
    return { trialS, sim, score: 2 * covered < sim.length ? NO_SCORE : soft };
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
  return { song, offsetS: refinedS, score: here.score, sim: here.sim };
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

function gather(aligned, shifted, neighbors, { near, nearestCohort }) {
  const { song, score, sim } = aligned[0];
  const others = neighbors.map((row) =>
    row.filter((one) => one.song !== song).map((one) => one.similarity).sort((a, b) => b - a),
  );
  const density = others.map((row, q) => {
    const largest = row.slice(0, 20);
    return mean([...largest, ...Array(20 - largest.length).fill(near[q])]);
  });
  const lead = sim.map((value, q) => value - Math.max(others[q][0] ?? -Infinity, nearestCohort[q]));
  const runnerUp = aligned.find((one) => one.song !== song);
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
  return sigmoid(sum - acceptance.size_slope * Math.log(Math.max(1, fingerprints / acceptance.n_fitted)));
}

function thresholdFor(n, { threshold, threshold_single: single }) {
  const share = Math.min(Math.log(n) / Math.log(12), 1);
  return share === 1 ? threshold : share === 0 ? single : sigmoid((1 - share) * logit(single) + share * logit(threshold));
}
