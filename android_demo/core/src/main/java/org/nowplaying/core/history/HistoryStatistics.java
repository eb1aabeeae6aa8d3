package org.nowplaying.core.history;

import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the history says as a whole: the songs and artists recognized most often, and the hours of the day. */
public final class HistoryStatistics {
    /** One song or artist with the number of times that it was recognized. */
    public static final class Count {
        /** Any entry of the song or artist. */
        public final HistoryEntry entry;

        public final int times;

        Count(HistoryEntry entry, int times) {
            this.entry = entry;
            this.times = times;
        }
    }

    /** Entries by the hour of the day in which they began, 0 to 23. */
    public final int[] byHour = new int[24];

    /** Number of entries; songs that were recognized again within ten minutes are one entry. */
    public final int entries;

    private final List<Count> songs;
    private final List<Count> artists;

    public HistoryStatistics(List<HistoryEntry> entries, ZoneId zone) {
        Map<String, List<HistoryEntry>> bySong = new LinkedHashMap<>();
        Map<String, List<HistoryEntry>> byArtist = new LinkedHashMap<>();
        for (HistoryEntry entry : entries) {
            byHour[Instant.ofEpochMilli(entry.firstRecognizedMs).atZone(zone).getHour()]++;
            bySong.computeIfAbsent(entry.trackId, id -> new ArrayList<>()).add(entry);
            if (!entry.artist.isEmpty()) {
                byArtist.computeIfAbsent(entry.artist, name -> new ArrayList<>()).add(entry);
            }
        }
        this.entries = entries.size();
        songs = counts(bySong.values());
        artists = counts(byArtist.values());
    }

    private static List<Count> counts(Collection<List<HistoryEntry>> groups) {
        List<Count> found = new ArrayList<>();
        for (List<HistoryEntry> group : groups) {
            found.add(new Count(group.get(0), group.size()));
        }
        // The sort is stable: among equals the newest comes first, as in the history.
        Collections.sort(found, (a, b) -> b.times - a.times);
        return found;
    }

    /** Returns the songs recognized most often first. */
    public List<Count> songs() {
        return Collections.unmodifiableList(songs);
    }

    /** Returns the artists recognized most often first. */
    public List<Count> artists() {
        return Collections.unmodifiableList(artists);
    }
}
