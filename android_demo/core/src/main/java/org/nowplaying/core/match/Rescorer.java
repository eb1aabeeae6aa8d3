package org.nowplaying.core.match;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nowplaying.core.db.Songs;

/**
 * The aligned sequence score: the query laid along the song at a fine grid of offsets (see {@code rescore.py}).
 *
 * <p>At a trial offset a query fingerprint falls between two of the song's; what the song would have there is the point
 * between them on the sphere. The score is a soft mean, t log mean exp(a / t), of similarities above the cohort's.
 */
final class Rescorer {
    private static final double SOFTNESS = 0.15;
    private static final double OFFSET_STEP = 0.125; // in reference hops
    private static final double OFFSET_SPAN = 0.75;
    private static final int TRIALS = (int) (2 * OFFSET_SPAN / OFFSET_STEP) + 1;

    private final Songs database;
    private final References vectors;
    private final float[][] queries;
    private final Map<Integer, float[][]> rotated = new HashMap<>();
    private final double[] cohortSimilarity;
    private final double[] timesS;
    private final double hopS;
    private final Map<Long, Reference> references = new HashMap<>();

    Rescorer(Songs database, References vectors, float[][] queries, double[] cohortSimilarity, double[] timesS) {
        this.database = database;
        this.vectors = vectors;
        this.cohortSimilarity = cohortSimilarity;
        this.timesS = timesS;
        this.queries = queries;
        hopS = database.hopS();
    }

    /** A fingerprint of a song, with its similarity to each query fingerprint and to the song's next one. */
    private static final class Reference {
        float[] vector; // null for silence
        float[] similarities;
        double nextCosine = Double.NaN;
    }

    /** Returns alignments with their scores, best first. */
    List<Aligned> rescore(Alignments alignments) {
        List<Aligned> found = new ArrayList<>();
        for (int i = 0; i < alignments.songs.length; i++) {
            found.add(best(alignments.songs[i], alignments.offsetsS[i]));
        }
        found.sort((a, b) -> Double.compare(b.score, a.score));
        return found;
    }

    private Aligned best(int song, double offsetS) {
        // Windows that overhang the query begin before it.
        long first = (long) Math.floor((offsetS + Math.min(timesS[0], 0)) / hopS - OFFSET_SPAN);
        double[] scores = new double[TRIALS];
        double[][] between = new double[TRIALS][timesS.length];
        int[] covered = new int[TRIALS];
        int best = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            double trialS = offsetS + hopS * (trial * OFFSET_STEP - OFFSET_SPAN);
            scores[trial] = score(song, first, trialS, between[trial], covered, trial);
            best = scores[trial] > scores[best] ? trial : best;
        }
        double refined = offsetS + hopS * (best * OFFSET_STEP - OFFSET_SPAN) + vertex(scores, best) * OFFSET_STEP * hopS;
        return new Aligned(song, refined, scores[best], between[best], covered[best]);
    }

    private double score(int song, long first, double trialS, double[] between, int[] covered, int trial) {
        double sum = 0;
        for (int q = 0; q < timesS.length; q++) {
            double position = (trialS + timesS[q]) / hopS - first;
            long left = (long) Math.floor(position + 1e-9);
            double similarity = similarity(song, first + left, position - left, q);
            covered[trial] += Double.isNaN(similarity) ? 0 : 1;
            between[q] = Double.isNaN(similarity) ? cohortSimilarity[q] : similarity;
            sum += Math.exp((between[q] - cohortSimilarity[q]) / SOFTNESS);
        }
        // A song must cover half of the query at least; a sliver at its edge is no evidence.
        return 2 * covered[trial] >= timesS.length ? SOFTNESS * Math.log(sum / timesS.length) : Aligned.NO_SCORE;
    }

    /** Returns the similarity at a position between two fingerprints of a song; NaN where it does not cover that. */
    private double similarity(int song, long left, double fraction, int query) {
        Reference low = reference(song, left);
        Reference high = reference(song, left + 1);
        if (low != null && high != null) {
            if (Double.isNaN(low.nextCosine)) {
                low.nextCosine = Math.min(Math.max(dot(low.vector, high.vector), 0), 1);
            }
            // Length of the straight line between two unit vectors there, which brings the point back onto the sphere.
            double squared = 1 - 2 * fraction * (1 - fraction) * (1 - low.nextCosine);
            return ((1 - fraction) * low.similarities[query] + fraction * high.similarities[query]) / Math.sqrt(squared);
        }
        if (low != null && fraction <= 0.5) {
            return low.similarities[query];
        }
        return high != null && fraction >= 0.5 ? high.similarities[query] : Double.NaN;
    }

    private Reference reference(int song, long position) {
        long number = database.start(song) + position;
        if (position < 0 || number >= database.start(song + 1)) {
            return null;
        }
        Reference found = references.get(number);
        if (found == null) {
            found = new Reference();
            found.vector = vectors.at(song, position);
            if (found.vector != null) {
                float[][] here = rotated.computeIfAbsent(database.pack(song), this::rotate);
                found.similarities = new float[here.length];
                for (int q = 0; q < here.length; q++) {
                    found.similarities[q] = (float) dot(found.vector, here[q]);
                }
            }
            references.put(number, found);
        }
        return found.vector == null ? null : found;
    }

    private float[][] rotate(int pack) {
        float[][] here = new float[queries.length][];
        for (int q = 0; q < here.length; q++) {
            here[q] = database.rotate(pack, queries[q]);
        }
        return here;
    }

    /** Returns where, in steps from the best trial, a parabola through it and its neighbors has its top. */
    private static double vertex(double[] scores, int best) {
        if (best == 0 || best == TRIALS - 1) {
            return 0;
        }
        double before = scores[best - 1];
        double after = scores[best + 1];
        double curvature = 2 * scores[best] - before - after;
        boolean usable = curvature > 1e-9 && before > Aligned.NO_SCORE && after > Aligned.NO_SCORE;
        return usable ? 0.5 * (after - before) / curvature : 0;
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * (double) b[i];
        }
        return sum;
    }
}
