package org.nowplaying.core.match;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.db.Neighbors;
import org.nowplaying.core.db.SearchOptions;
import org.nowplaying.core.db.Songs;
import org.nowplaying.core.song.SongStore;

/** Finds the song of a sequence of fingerprints (see {@code matcher.py} of the Python package). */
public final class SongMatcher {
    private static final double SCORE_SCALE = 0.05; // difference of scores that makes a song e times as likely

    private final Songs database;
    private final Acceptance acceptance;
    private final SongStore store;

    /**
     * Makes a matcher.
     *
     * @param store whose tags say which of several copies of the same music is named; null for the one added first
     */
    public SongMatcher(Songs database, Acceptance acceptance, SongStore store) {
        this.store = store;
        this.database = database;
        this.acceptance = acceptance;
    }

    /** Matches a query whose first row starts with it; see the other {@code match}. */
    public Match match(float[][] embeddings, double hopS, SearchOptions options) throws ArtifactException {
        return match(embeddings, hopS, 0, options);
    }

    /**
     * Matches a query.
     *
     * @param embeddings row i starts at {@code firstS + i * hopS} seconds of the query: of length 1, or zero where it is
     *     silent
     * @param firstS negative where windows overhang the query
     * @throws ArtifactException when the metadata of songs that are the same music cannot be read
     */
    public Match match(float[][] embeddings, double hopS, double firstS, SearchOptions options) throws ArtifactException {
        List<float[]> sounding = new ArrayList<>();
        List<Double> times = new ArrayList<>();
        for (int i = 0; i < embeddings.length; i++) {
            boolean sounds = false;
            for (float value : embeddings[i]) {
                if (Float.isNaN(value) || Float.isInfinite(value)) {
                    throw new IllegalArgumentException("query: expected finite fingerprints");
                }
                sounds |= value != 0;
            }
            if (embeddings[i].length != database.dim()) {
                throw new IllegalArgumentException(
                        "query: expected " + database.dim() + " dimensions, found " + embeddings[i].length);
            }
            if (sounds) {
                sounding.add(embeddings[i]);
                times.add(i * hopS + firstS);
            }
        }
        if (sounding.isEmpty()) {
            return unknown();
        }
        float[][] queries = sounding.toArray(new float[0][]);
        double[] timesS = times.stream().mapToDouble(Double::doubleValue).toArray();
        Neighbors neighbors = database.nearest(queries, options.neighbors, options);
        int[][] songs = new int[queries.length][options.neighbors];
        long[][] positions = new long[queries.length][options.neighbors];
        boolean any = false;
        for (int q = 0; q < queries.length; q++) {
            for (int i = 0; i < options.neighbors; i++) {
                long fingerprint = neighbors.fingerprints[q][i];
                songs[q][i] = fingerprint < 0 ? -1 : database.songOf(fingerprint);
                positions[q][i] = fingerprint < 0 ? 0 : fingerprint - database.start(songs[q][i]);
                any |= fingerprint >= 0;
            }
        }
        if (!any) {
            return unknown();
        }
        return decide(queries, timesS, neighbors, songs, positions, options);
    }

    private Match decide(
            float[][] queries, double[] timesS, Neighbors neighbors, int[][] songs, long[][] positions, SearchOptions options)
            throws ArtifactException {
        double[] cohortSimilarity = new double[queries.length];
        double[] nearestCohort = new double[queries.length];
        double[] cohortSpread = new double[queries.length];
        for (int q = 0; q < queries.length; q++) {
            float[] near = database.cohortSimilarities(queries[q]);
            cohortSimilarity[q] = Evidence.meanOfLargest(near, Math.min(Evidence.NEIGHBORS, near.length), 0);
            cohortSpread[q] = Evidence.spreadOfLargest(near);
            nearestCohort[q] = Float.NEGATIVE_INFINITY;
            for (float one : near) {
                nearestCohort[q] = Math.max(nearestCohort[q], one);
            }
        }
        References vectors = new References(database);
        Rescorer rescorer = new Rescorer(database, vectors, queries, cohortSimilarity, timesS);
        Alignments candidates =
                Alignments.offsetHistogram(neighbors, songs, positions, timesS, database.hopS(), options.candidates);
        List<Aligned> aligned = rescorer.rescore(candidates);
        aligned.sort((a, b) -> Double.compare(b.score, a.score));
        Aligned best = aligned.get(0);
        int[] sameSong = new int[Evidence.SHIFTS_S.length];
        Arrays.fill(sameSong, best.song);
        double[] shiftedS = Arrays.stream(Evidence.SHIFTS_S).map(shift -> best.offsetS + shift).toArray();
        List<Aligned> shifted = rescorer.rescore(new Alignments(sameSong, shiftedS));
        List<Aligned> same = SameMusic.among(database, vectors, aligned, timesS);
        Set<Integer> sameSongs = new HashSet<>();
        for (Aligned one : same) {
            sameSongs.add(one.song);
        }
        Evidence evidence = Evidence.gather(
                aligned, shifted, sameSongs, neighbors, songs, cohortSimilarity, nearestCohort, cohortSpread, queries);
        double score = acceptance.probability(evidence, database.fingerprints());
        same = SameMusic.preferredFirst(same, store, SCORE_SCALE);
        return new Match(candidates(aligned, same, score, options.best), evidence, acceptance.threshold(evidence.fingerprints));
    }

    /** Returns the first alignment of each song. Probabilities of the songs together stay below one. */
    private static List<Match.Candidate> candidates(
            List<Aligned> aligned, List<Aligned> same, double score, int limit) {
        List<Aligned> firsts = new ArrayList<>();
        Set<Integer> seen = new HashSet<>();
        firsts.add(same.get(0));
        List<Integer> also = new ArrayList<>();
        for (Aligned one : same) {
            seen.add(one.song);
            if (one != same.get(0)) {
                also.add(one.song);
            }
        }
        for (Aligned one : aligned) {
            if (firsts.size() < Math.max(limit, 2) && seen.add(one.song)) {
                firsts.add(one);
            }
        }
        double weights = 1;
        for (Aligned one : firsts.subList(1, firsts.size())) {
            weights += Math.exp((one.score - firsts.get(1).score) / SCORE_SCALE);
        }
        List<Match.Candidate> candidates = new ArrayList<>();
        for (Aligned one : firsts.subList(0, Math.min(limit, firsts.size()))) {
            double share = candidates.isEmpty()
                    ? score : (1 - score) * Math.exp((one.score - firsts.get(1).score) / SCORE_SCALE) / weights;
            List<Integer> copies = candidates.isEmpty() ? also : Collections.emptyList();
            candidates.add(new Match.Candidate(one, Math.min(share, score), copies));
        }
        return candidates;
    }

    private Match unknown() {
        return new Match(Collections.emptyList(), null, acceptance.threshold(Integer.MAX_VALUE));
    }
}
