package org.nowplaying.core.history;

/** A song and when it was heard. */
public final class HeardSong {
    /** Of the entry in its store. */
    public final long id;

    public final String trackId;
    public final String title;
    public final String artist;

    /** Milliseconds since 1970, of the first and the newest recognition. */
    public final long firstHeardMs;

    public final long lastHeardMs;

    /** Place in the song at which the buffer began when it was recognized first, in seconds. */
    public final double offsetS;

    /** The best of its recognitions, in [0, 1]. */
    public final double score;

    public final int recognitions;

    public HeardSong(
            long id, String trackId, String title, String artist, long firstHeardMs, long lastHeardMs, double offsetS,
            double score, int recognitions) {
        this.id = id;
        this.trackId = trackId;
        this.title = title;
        this.artist = artist;
        this.firstHeardMs = firstHeardMs;
        this.lastHeardMs = lastHeardMs;
        this.offsetS = offsetS;
        this.score = score;
        this.recognitions = recognitions;
    }

    HeardSong again(long timeMs, double newScore) {
        return new HeardSong(id, trackId, title, artist, firstHeardMs, timeMs, offsetS, Math.max(score, newScore),
                recognitions + 1);
    }
}
