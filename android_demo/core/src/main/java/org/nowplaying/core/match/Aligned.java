package org.nowplaying.core.match;

/** One alignment with its sequence score. */
final class Aligned {
    /** Below any score: similarities lie in [-1, 1]. */
    static final double NO_SCORE = -3.0;

    final int song;
    final double offsetS;
    final double score;

    /** Of each query fingerprint; where the song does not reach, the query's similarity to the cohort. */
    final double[] similarities;

    /** Query fingerprints that the song covers. */
    final int covered;

    Aligned(int song, double offsetS, double score, double[] similarities, int covered) {
        this.song = song;
        this.offsetS = offsetS;
        this.score = score;
        this.similarities = similarities;
        this.covered = covered;
    }
}
