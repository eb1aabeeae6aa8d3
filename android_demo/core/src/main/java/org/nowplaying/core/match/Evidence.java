package org.nowplaying.core.match;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.nowplaying.core.db.Neighbors;

/** What speaks for the best song; each measure is explained in {@code evidence.py} of the Python package. */
public final class Evidence {
    /** The features of the acceptance model, in their order: the measures, log n, and the measures times log n. */
    static final String[] MEASURES = {
        "mean_similarity", "above_cohort", "above_neighbors", "margin", "win_rate", "clear_wins", "above_shifted",
        "sharpness", "z_above_neighbors", "steadiness",
    };

    static final double[] SHIFTS_S = {-8, -4, -2, 2, 4, 8};
    static final int NEIGHBORS = 20;
    private static final double MOST_SHARPNESS = 0.1;
    private static final int SPREAD = 100;
    private static final double LEAST_SPREAD = 0.02;
    private static final double LEAST_STEADY = 0.8;

    private final double[] measures;

    /** Query fingerprints. */
    public final int fingerprints;

    private Evidence(double[] measures, int fingerprints) {
        this.measures = measures;
        this.fingerprints = fingerprints;
    }

    /** Returns the measures in the order of {@code evidence.py}. */
    public double[] measures() {
        return measures.clone();
    }

    double[] features() {
        double logN = Math.log(fingerprints);
        double[] features = Arrays.copyOf(measures, 2 * measures.length + 1);
        features[measures.length] = logN;
        for (int i = 0; i < measures.length; i++) {
            features[measures.length + 1 + i] = measures[i] * logN;
        }
        return features;
    }

    /**
     * Weighs the best of the rescored alignments.
     *
     * @param aligned at least one, best first
     * @param shifted the best one's song at positions some seconds earlier and later
     * @param sameSongs the best song and those that are the same music at its place: they are no other songs
     * @param songs of each neighbor; -1 where there is none
     * @param cohortSimilarity similarity of each query fingerprint to the cohort
     * @param nearestCohort the largest such similarity
     * @param cohortSpread of each query fingerprint, from {@link #spreadOfLargest}
     * @param queries the query's fingerprints
     */
    static Evidence gather(
            List<Aligned> aligned, List<Aligned> shifted, Set<Integer> sameSongs, Neighbors neighbors, int[][] songs,
            double[] cohortSimilarity, double[] nearestCohort, double[] cohortSpread, float[][] queries) {
        Aligned best = aligned.get(0);
        int n = best.similarities.length;
        double mean = 0;
        double aboveCohort = 0;
        double aboveNeighbors = 0;
        double wins = 0;
        double clear = 0;
        double standardized = 0;
        for (int q = 0; q < n; q++) {
            float[] others = neighbors.similarities[q].clone();
            float nearest = Float.NEGATIVE_INFINITY;
            for (int i = 0; i < others.length; i++) {
                others[i] = sameSongs.contains(songs[q][i]) || songs[q][i] < 0 ? Float.NEGATIVE_INFINITY : others[i];
                nearest = Math.max(nearest, others[i]);
            }
            // A handful of songs leaves everything else out of sight: the cohort is near even then.
            double density = Math.max(meanOfLargest(others, NEIGHBORS, cohortSimilarity[q]), cohortSimilarity[q]);
            double lead = best.similarities[q] - Math.max(nearest, nearestCohort[q]);
            mean += best.similarities[q] / n;
            aboveCohort += (best.similarities[q] - cohortSimilarity[q]) / n;
            aboveNeighbors += (best.similarities[q] - density) / n;
            standardized += (best.similarities[q] - density) / cohortSpread[q] / n;
            wins += lead > 0 ? 1.0 / n : 0;
            clear += Math.pow(Math.max(lead, 0), 2) / n;
        }
        double runnerUp = 0;
        for (int i = aligned.size() - 1; i >= 0; i--) {
            runnerUp = !sameSongs.contains(aligned.get(i).song) ? Math.max(aligned.get(i).score, 0) : runnerUp;
        }
        double[] elsewhere = new double[shifted.size()];
        for (int i = 0; i < elsewhere.length; i++) {
            // Beyond its ends a song is as near as the cohort, which is a score of zero.
            elsewhere[i] = shifted.get(i).score > Aligned.NO_SCORE ? shifted.get(i).score : 0;
        }
        Arrays.sort(elsewhere);
        double sharpness = best.score - elsewhere[elsewhere.length - 2];
        double[] measures = {
            mean, aboveCohort, aboveNeighbors, best.score - runnerUp, wins, Math.sqrt(clear),
            best.score - Arrays.stream(elsewhere).sum() / elsewhere.length,
            Math.min(Math.max(sharpness, -MOST_SHARPNESS), MOST_SHARPNESS), standardized, steadiness(queries),
        };
        return new Evidence(measures, n);
    }

    /** Returns by how much the squared length of the fingerprints' mean is above 0.8: most where they are all the same. */
    private static double steadiness(float[][] queries) {
        double squared = 0;
        for (int i = 0; i < queries[0].length; i++) {
            double sum = 0;
            for (float[] query : queries) {
                sum += query[i];
            }
            squared += Math.pow(sum / queries.length, 2);
        }
        return Math.max(squared - LEAST_STEADY, 0);
    }

    /** Returns the standard deviation of the hundred largest values, at least 0.02. */
    static double spreadOfLargest(float[] values) {
        float[] sorted = values.clone();
        Arrays.sort(sorted);
        int n = Math.min(SPREAD, sorted.length);
        double mean = meanOfLargest(sorted, n, 0);
        double squared = 0;
        for (int i = sorted.length - n; i < sorted.length; i++) {
            squared += Math.pow(sorted[i] - mean, 2) / n;
        }
        return Math.max(Math.sqrt(squared), LEAST_SPREAD);
    }

    /** Returns the mean of the largest values, with the fallback for those that are missing. */
    static double meanOfLargest(float[] values, int n, double fallback) {
        float[] sorted = values.clone();
        Arrays.sort(sorted);
        double total = 0;
        int found = 0;
        for (int i = sorted.length - 1; i >= 0 && found < n && sorted[i] > Float.NEGATIVE_INFINITY; i--) {
            total += sorted[i];
            found++;
        }
        return (total + (n - found) * fallback) / n;
    }
}
