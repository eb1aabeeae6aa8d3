package org.nowplaying.core.song;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.Json;
import org.nowplaying.core.sql.Like;
import org.nowplaying.core.sql.Sql;

/** Metadata in {@code songs.sqlite}, through whatever reads SQLite here; the file is opened as untrusted. */
public final class SqlSongStore implements SongStore {
    static final String SCHEMA =
            "CREATE TABLE songs (song_index INTEGER PRIMARY KEY, track_id TEXT NOT NULL, title TEXT NOT NULL, "
                    + "artist TEXT NOT NULL, album TEXT NOT NULL, duration_s REAL NOT NULL, source TEXT NOT NULL, "
                    + "external_ids TEXT NOT NULL)";
    private static final String COLUMNS =
            "SELECT song_index, track_id, title, artist, album, duration_s, source, external_ids FROM songs ";

    private static final long ROWS_AT_ONCE = 1000; // in memory

    private final Sql reader;
    private final Path path;
    private final long slots;

    /**
     * Checks that the file is exactly the table of songs that the manifest promises.
     *
     * @throws ArtifactException where it is not
     */
    public SqlSongStore(Sql reader, Path path, long slots, int songs) throws ArtifactException {
        this.reader = reader;
        this.path = path;
        this.slots = slots;
        // Pages that are named twice would make a table without end, and rows out of order would be found by a scan alone.
        if (!"ok".equals(query("PRAGMA quick_check(1)").get(0)[0])) {
            throw ArtifactException.corrupt(path, "SQLite finds its pages damaged");
        }
        List<Object[]> master = query("SELECT type, name, sql FROM sqlite_master");
        boolean ours = master.size() == 1 && Arrays.equals(master.get(0), new Object[] {"table", "songs", SCHEMA});
        if (!ours) {
            throw ArtifactException.corrupt(path, "holds something other than the table of songs");
        }
        Object[] counts = query("SELECT count(*), min(song_index), max(song_index) FROM songs").get(0);
        boolean whole = counts[1] instanceof Long && counts[2] instanceof Long;
        if (!whole || (Long) counts[0] != songs || (Long) counts[1] < 0 || (Long) counts[2] >= slots) {
            throw ArtifactException.corrupt(
                    path, "expected " + songs + " songs numbered below " + slots + ", found " + Arrays.toString(counts));
        }
    }

    /**
     * Reads every song once, so that none is found to be damaged when it is recognized.
     *
     * @param hasFingerprints whether a song of this number can be recognized
     * @throws ArtifactException where one is damaged, or cannot be recognized
     */
    public void checkAll(IntPredicate hasFingerprints) throws ArtifactException {
        List<Object[]> rows = query(COLUMNS + "ORDER BY song_index LIMIT ?", ROWS_AT_ONCE);
        while (!rows.isEmpty()) {
            long last = -1;
            for (Object[] row : rows) {
                track(row);
                last = number(row[0]);
                if (!hasFingerprints.test((int) last)) {
                    throw ArtifactException.corrupt(path, "song " + last + " has no fingerprints");
                }
            }
            rows = query(COLUMNS + "WHERE song_index > ? ORDER BY song_index LIMIT ?", last, ROWS_AT_ONCE);
        }
    }

    @Override
    public Track track(int song) throws ArtifactException {
        List<Object[]> rows = query(COLUMNS + "WHERE song_index = ?", (long) song);
        if (rows.size() != 1) {
            throw ArtifactException.corrupt(path, "no song has the number " + song);
        }
        return track(rows.get(0));
    }

    /** Returns every song's number with its track id, ascending. */
    public Map<Integer, String> trackIds() throws ArtifactException {
        Map<Integer, String> ids = new TreeMap<>();
        for (Object[] row : query("SELECT song_index, track_id FROM songs ORDER BY song_index")) {
            if (!(row[1] instanceof String)) {
                throw ArtifactException.corrupt(path, "a track id is no text");
            }
            ids.put(number(row[0]), (String) row[1]);
        }
        return ids;
    }

    @Override
    public List<Track> search(String text, int limit) throws ArtifactException {
        String like = Like.containing(text);
        List<Object[]> rows = query(
                COLUMNS + "WHERE title LIKE ? ESCAPE '\\' OR artist LIKE ? ESCAPE '\\' OR album LIKE ? ESCAPE '\\' "
                        + "ORDER BY artist, album, title, track_id LIMIT ?",
                like, like, like, (long) limit);
        List<Track> found = new ArrayList<>();
        for (Object[] row : rows) {
            found.add(track(row));
        }
        return found;
    }

    private int number(Object value) throws ArtifactException {
        if (!(value instanceof Long) || (Long) value < 0 || (Long) value >= Math.min(slots, Integer.MAX_VALUE)) {
            throw ArtifactException.corrupt(path, "expected a song number below " + slots + ", found " + value);
        }
        return ((Long) value).intValue();
    }

    private Track track(Object[] row) throws ArtifactException {
        try {
            Object ids = row[7] instanceof String ? Json.parse((String) row[7]) : Collections.emptyList();
            return new Track(row[1], row[2], row[3], row[4], row[5], row[6], ids);
        } catch (IllegalArgumentException error) {
            throw ArtifactException.corrupt(path, "song " + row[0] + ": " + error.getMessage());
        }
    }

    private List<Object[]> query(String sql, Object... arguments) throws ArtifactException {
        try {
            return reader.query(sql, arguments);
        } catch (RuntimeException error) {
            throw ArtifactException.corrupt(path, "SQLite cannot read the songs (" + error.getMessage() + ")");
        }
    }
}
