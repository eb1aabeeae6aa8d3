package org.nowplaying.core.loop;

import org.nowplaying.core.song.Track;

/** What was recognized in a buffer of sound. */
public final class Answer {
    /** The song, or null for "unknown". */
    public final Track track;

    /** Reference time of the buffer's first sample, in seconds. */
    public final double offsetS;

    /** Calibrated probability that this is the song. */
    public final double score;

    /** Length of the buffer in seconds. */
    public final double bufferS;

    private final double threshold;

    /** Names a song, or none, whatever its score. */
    public Answer(Track track, double offsetS, double score, double bufferS) {
        this(track, offsetS, score, bufferS, 0);
    }

    /**
     * Names a song, or none.
     *
     * @param threshold smallest score with which the song would have been named
     */
    public Answer(Track track, double offsetS, double score, double bufferS, double threshold) {
        this.track = track;
        this.offsetS = offsetS;
        this.score = score;
        this.bufferS = bufferS;
        this.threshold = threshold;
    }

    /** Returns whether the song would also reach a threshold whose odds are so many times higher. */
    boolean isSure(double odds) {
        double needed = threshold / Math.max(1 - threshold, 1e-9) * odds;
        return track != null && score >= needed / (1 + needed);
    }

    static Answer unknown(double bufferS) {
        return new Answer(null, 0, 0, bufferS);
    }
}
