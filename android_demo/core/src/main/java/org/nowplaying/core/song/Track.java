package org.nowplaying.core.song;

import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;

/** One recording. */
public final class Track {
    /** How lists of songs are sorted. */
    public static final Comparator<Track> BY_NAME = (a, b) -> {
        // Not Comparator.comparing: static methods of interfaces do not survive the way through older class files.
        int order = a.artist.compareTo(b.artist);
        order = order == 0 ? a.album.compareTo(b.album) : order;
        order = order == 0 ? a.title.compareTo(b.title) : order;
        return order == 0 ? a.trackId.compareTo(b.trackId) : order;
    };

    private static final int MAX_CHARACTERS = 1000;

    /** First 16 hex digits of the SHA-256 of the decoded 16 kHz int16 PCM. */
    public final String trackId;

    public final String title;
    public final String artist;
    public final String album;

    /** Length in seconds; 0 where it is not known. */
    public final double durationS;

    /** Where the recording came from, usually a file's path. */
    public final String source;

    /** Identifiers in other catalogues, such as an ISRC. */
    public final Map<String, String> externalIds;

    /**
     * Makes a track out of values from elsewhere.
     *
     * @throws IllegalArgumentException where one is missing, of another type, too long or out of its bounds
     */
    public Track(
            Object trackId, Object title, Object artist, Object album, Object durationS, Object source, Object ids) {
        this.trackId = text("track_id", trackId);
        this.title = text("title", title);
        this.artist = text("artist", artist);
        this.album = text("album", album);
        this.source = text("source", source);
        double seconds = durationS instanceof Number ? ((Number) durationS).doubleValue() : Double.NaN;
        if (!this.trackId.matches("[0-9a-f]{16}")) {
            throw new IllegalArgumentException("track_id: expected 16 lower-case hex digits, found " + trackId);
        }
        if (!(seconds >= 0 && seconds <= Double.MAX_VALUE)) {
            throw new IllegalArgumentException("duration_s: expected a finite number >= 0, found " + durationS);
        }
        this.durationS = seconds;
        if (!(ids instanceof Map)) {
            throw new IllegalArgumentException("external_ids: expected a table of texts");
        }
        Map<String, String> known = new LinkedHashMap<>();
        for (Map.Entry<?, ?> id : ((Map<?, ?>) ids).entrySet()) {
            known.put(text("external_ids", id.getKey()), text("external_ids", id.getValue()));
        }
        externalIds = Collections.unmodifiableMap(known);
    }

    /**
     * Returns a text from elsewhere.
     *
     * @throws IllegalArgumentException where it is none, or too long
     */
    public static String text(String name, Object value) {
        if (!(value instanceof String)
                || ((String) value).codePointCount(0, ((String) value).length()) > MAX_CHARACTERS) {
            throw new IllegalArgumentException(name + ": expected a text of at most " + MAX_CHARACTERS + " characters");
        }
        return (String) value;
    }
}
