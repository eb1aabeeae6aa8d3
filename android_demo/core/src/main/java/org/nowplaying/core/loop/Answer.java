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

    public Answer(Track track, double offsetS, double score, double bufferS) {
        this.track = track;
        this.offsetS = offsetS;
        this.score = score;
        this.bufferS = bufferS;
    }

    static Answer unknown(double bufferS) {
        return new Answer(null, 0, 0, bufferS);
    }
}
