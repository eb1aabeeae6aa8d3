package org.nowplaying.core.match;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.nowplaying.core.db.Neighbors;

/** Candidate alignments of a query with songs, those with the heaviest bins of the offset histogram first (see {@code candidates.py}). */
final class Alignments {
    private static final int STEPS_PER_HOP = 2;
    private static final int PER_SONG = 6;
    private static final double[] BESIDE = {0.9, 1.0, 0.9}; // so that the middle of a plateau wins

    final int[] songs;
    final double[] offsetsS;

    Alignments(int[] songs, double[] offsetsS) {
        this.songs = songs;
        this.offsetsS = offsetsS;
    }

    /**
     * Returns the heaviest bins of the histogram of every song's time offsets.
     *
     * @param songs of each neighbor; -1 where there is none
     * @param positions number of each neighbor within its song
     */
    static Alignments offsetHistogram(
            Neighbors neighbors, int[][] songs, long[][] positions, double[] timesS, double hopS, int limit) {
        double stepS = hopS / STEPS_PER_HOP;
        long lowest = Long.MAX_VALUE;
        long highest = Long.MIN_VALUE;
        for (int q = 0; q < songs.length; q++) {
            for (int i = 0; i < songs[q].length; i++) {
                if (songs[q][i] >= 0) {
                    long offset = offset(positions[q][i], timesS[q], hopS, stepS);
                    lowest = Math.min(lowest, offset);
                    highest = Math.max(highest, offset);
                }
            }
        }
        lowest--;
        long steps = highest - lowest + 2;
        // Each query fingerprint counts once for an alignment, with the largest of its weights.
        TreeMap<Long, Double> best = new TreeMap<>();
        for (int q = 0; q < songs.length; q++) {
            float floor = Float.POSITIVE_INFINITY;
            for (int i = 0; i < songs[q].length; i++) {
                floor = songs[q][i] >= 0 ? Math.min(floor, neighbors.similarities[q][i]) : floor;
            }
            for (int i = 0; i < songs[q].length; i++) {
                if (songs[q][i] < 0) {
                    continue;
                }
                float weight = neighbors.similarities[q][i] - floor + 1e-3f;
                long bin = songs[q][i] * steps + offset(positions[q][i], timesS[q], hopS, stepS) - lowest;
                for (int beside = -1; beside <= 1; beside++) {
                    best.merge((bin + beside) * songs.length + q, weight * BESIDE[beside + 1], Math::max);
                }
            }
        }
        return mostVoted(best, songs.length, steps, lowest, stepS, limit);
    }

    private static long offset(long position, double timeS, double hopS, double stepS) {
        return (long) Math.rint((position * hopS - timeS) / stepS);
    }

    private static Alignments mostVoted(
            TreeMap<Long, Double> best, int queries, long steps, long lowest, double stepS, int limit) {
        TreeMap<Long, Double> weights = new TreeMap<>();
        best.forEach((key, value) -> weights.merge(Math.floorDiv(key, (long) queries), value, Double::sum));
        List<Long> bins = new ArrayList<>(weights.keySet());
        bins.sort((a, b) -> Double.compare(weights.get(b), weights.get(a)));
        Map<Long, Integer> ofSong = new HashMap<>();
        List<Long> kept = new ArrayList<>();
        for (long bin : bins) {
            // A song that repeats itself must not crowd out the others.
            if (kept.size() < limit && ofSong.merge(bin / steps, 1, Integer::sum) <= PER_SONG) {
                kept.add(bin);
            }
        }
        int[] songs = new int[kept.size()];
        double[] offsetsS = new double[kept.size()];
        for (int i = 0; i < songs.length; i++) {
            songs[i] = (int) (kept.get(i) / steps);
            offsetsS[i] = (kept.get(i) % steps + lowest) * stepS;
        }
        return new Alignments(songs, offsetsS);
    }
}
