package org.nowplaying.core.history;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.nowplaying.core.artifact.Json;
import org.nowplaying.core.song.Track;

/** The whole history with its favourites as one JSON text, for another phone. */
public final class HistoryBackup {
    private static final String KIND = "nowplaying-history";
    private static final int VERSION = 1;

    private final List<HistoryEntry> entries = new ArrayList<>();
    private final Set<String> favourites = new TreeSet<>();

    private HistoryBackup() {}

    /** Returns everything that a history holds. */
    public static String write(SqlHistory history) {
        List<Object> songs = new ArrayList<>();
        for (HistoryEntry entry : history.search("", Integer.MAX_VALUE)) {
            Map<String, Object> song = new LinkedHashMap<>();
            song.put("track_id", entry.trackId);
            song.put("title", entry.title);
            song.put("artist", entry.artist);
            song.put("first_recognized_ms", entry.firstRecognizedMs);
            song.put("last_recognized_ms", entry.lastRecognizedMs);
            song.put("offset_s", entry.offsetS);
            song.put("score", entry.score);
            song.put("recognitions", (long) entry.recognitions);
            songs.add(song);
        }
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("kind", KIND);
        all.put("schema_version", (long) VERSION);
        all.put("songs", songs);
        all.put("favourites", new ArrayList<Object>(history.favouriteIds()));
        return Json.canonical(all);
    }

    /**
     * Reads a backup, which may come from anywhere.
     *
     * @throws IllegalArgumentException where it is none, with the reason
     */
    public static HistoryBackup read(String text) {
        Object value = Json.parse(text);
        Map<?, ?> all = value instanceof Map ? (Map<?, ?>) value : new LinkedHashMap<>();
        Object version = all.get("schema_version");
        if (!KIND.equals(all.get("kind")) || !(version instanceof Number)) {
            throw new IllegalArgumentException("expected a backup of a history (kind " + KIND + ")");
        }
        if (((Number) version).longValue() > VERSION) {
            throw new IllegalArgumentException("this backup is of a newer app (version " + version + "); update the app");
        }
        HistoryBackup backup = new HistoryBackup();
        for (Object one : list(all, "songs")) {
            backup.entries.add(entry(one instanceof Map ? (Map<?, ?>) one : new LinkedHashMap<>()));
        }
        for (Object id : list(all, "favourites")) {
            backup.favourites.add(trackId(id));
        }
        return backup;
    }

    private static List<?> list(Map<?, ?> table, String name) {
        if (!(table.get(name) instanceof List)) {
            throw new IllegalArgumentException(name + ": expected a list");
        }
        return (List<?>) table.get(name);
    }

    private static HistoryEntry entry(Map<?, ?> song) {
        long first = (long) number(song, "first_recognized_ms", 0, 1e14);
        long last = (long) number(song, "last_recognized_ms", first, 1e14);
        return new HistoryEntry(0, trackId(song.get("track_id")), Track.text("title", song.get("title")),
                Track.text("artist", song.get("artist")), first, last, number(song, "offset_s", -1e5, 1e5),
                number(song, "score", 0, 1), (int) number(song, "recognitions", 1, 1e6));
    }

    private static String trackId(Object value) {
        if (!(value instanceof String) || !((String) value).matches("[0-9a-f]{16}")) {
            throw new IllegalArgumentException("track_id: expected 16 lower-case hex digits, found " + value);
        }
        return (String) value;
    }

    private static double number(Map<?, ?> song, String name, double low, double high) {
        Object value = song.get(name);
        double found = value instanceof Number ? ((Number) value).doubleValue() : Double.NaN;
        if (!(found >= low && found <= high)) {
            throw new IllegalArgumentException(
                    name + ": expected a number from " + low + " to " + high + ", found " + value);
        }
        return found;
    }

    /**
     * Adds to a history what it lacks; nothing is replaced.
     *
     * @return how many entries were added
     */
    public int mergeInto(SqlHistory history) {
        Set<String> known = new HashSet<>();
        for (HistoryEntry entry : history.search("", Integer.MAX_VALUE)) {
            known.add(entry.trackId + " " + entry.firstRecognizedMs);
        }
        int added = 0;
        for (HistoryEntry entry : entries) {
            if (known.add(entry.trackId + " " + entry.firstRecognizedMs)) {
                history.insert(entry);
                added++;
            }
        }
        for (String id : favourites) {
            history.setFavourite(id, true);
        }
        return added;
    }
}
