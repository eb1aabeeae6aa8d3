package org.nowplaying.core.history;

/** A recognized song, with the times of its recognitions. */
public final class HistoryEntry {
    /** Number of the entry in its store. */
    public final long id;

    public final String trackId;
    public final String title;
    public final String artist;

    /** Milliseconds since 1970, of the first and the newest recognition. */
    public final long firstRecognizedMs;

    public final long lastRecognizedMs;

    /** Position in the song at which the buffer of the first recognition began, in seconds. */
    public final double offsetS;

    /** The best of its recognitions, in [0, 1]. */
    public final double score;

    public final int recognitions;

    public HistoryEntry(
            long id, String trackId, String title, String artist, long firstRecognizedMs, long lastRecognizedMs,
            double offsetS, double score, int recognitions) {
        this.id = id;
        this.trackId = trackId;
        this.title = title;
        this.artist = artist;
        this.firstRecognizedMs = firstRecognizedMs;
        this.lastRecognizedMs = lastRecognizedMs;
        this.offsetS = offsetS;
        this.score = score;
        this.recognitions = recognitions;
    }

    HistoryEntry recognizedAgain(long timeMs, double newScore) {
        long newest = Math.max(lastRecognizedMs, timeMs); // somebody may have set the clock back
        return new HistoryEntry(id, trackId, title, artist, firstRecognizedMs, newest, offsetS,
                Math.max(score, newScore), recognitions + 1);
    }
}
