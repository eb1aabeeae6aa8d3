package org.nowplaying.core.history;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.nowplaying.core.sql.Like;
import org.nowplaying.core.sql.Sql;

/** The history in SQLite. */
public final class SqlHistory implements History.Store {
    /** Makes the table of a new file. */
    public static final String SCHEMA =
            "CREATE TABLE history (id INTEGER PRIMARY KEY, track_id TEXT NOT NULL, title TEXT NOT NULL, "
                    + "artist TEXT NOT NULL, first_recognized_ms INTEGER NOT NULL, "
                    + "last_recognized_ms INTEGER NOT NULL, offset_s REAL NOT NULL, score REAL NOT NULL, recognitions INTEGER NOT NULL)";

    /** Makes the table of favourites; the second statement of a new file, and what version 2 adds to one of version 1. */
    public static final String FAVOURITES_SCHEMA = "CREATE TABLE favourites (track_id TEXT PRIMARY KEY)";

    private static final String NEWEST = "ORDER BY last_recognized_ms DESC, id DESC LIMIT ?";

    private final Sql.Writer sql;

    public SqlHistory(Sql.Writer sql) {
        this.sql = sql;
    }

    @Override
    public HistoryEntry last() {
        List<HistoryEntry> found = songs(NEWEST, 1L);
        return found.isEmpty() ? null : found.get(0);
    }

    @Override
    public HistoryEntry insert(HistoryEntry song) {
        long id = sql.execute(
                "INSERT INTO history (track_id, title, artist, first_recognized_ms, last_recognized_ms, offset_s, "
                        + "score, recognitions) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                song.trackId, song.title, song.artist, song.firstRecognizedMs, song.lastRecognizedMs, song.offsetS,
                song.score, (long) song.recognitions);
        return new HistoryEntry(id, song.trackId, song.title, song.artist, song.firstRecognizedMs,
                song.lastRecognizedMs, song.offsetS, song.score, song.recognitions);
    }

    @Override
    public void update(HistoryEntry song) {
        sql.execute(
                "UPDATE history SET last_recognized_ms = ?, score = ?, recognitions = ? WHERE id = ?",
                song.lastRecognizedMs, song.score, (long) song.recognitions, song.id);
    }

    @Override
    public List<HistoryEntry> search(String text, int limit) {
        String like = Like.containing(text);
        return songs("WHERE title LIKE ? ESCAPE '\\' OR artist LIKE ? ESCAPE '\\' " + NEWEST, like, like, (long) limit);
    }

    /** Returns the entries of favourite songs with a text in title or artist, newest first; all for an empty text. */
    public List<HistoryEntry> favourites(String text, int limit) {
        String like = Like.containing(text);
        return songs(
                "WHERE (title LIKE ? ESCAPE '\\' OR artist LIKE ? ESCAPE '\\') "
                        + "AND track_id IN (SELECT track_id FROM favourites) " + NEWEST,
                like, like, (long) limit);
    }

    /** Returns the entries of one song, newest first. */
    public List<HistoryEntry> ofTrack(String trackId, int limit) {
        return songs("WHERE track_id = ? " + NEWEST, trackId, (long) limit);
    }

    /** Returns the track ids of all favourites, also of songs that the history no longer has. */
    public Set<String> favouriteIds() {
        Set<String> ids = new TreeSet<>();
        for (Object[] row : sql.query("SELECT track_id FROM favourites")) {
            ids.add((String) row[0]);
        }
        return ids;
    }

    public void setFavourite(String trackId, boolean isFavourite) {
        if (isFavourite) {
            sql.execute("INSERT OR IGNORE INTO favourites (track_id) VALUES (?)", trackId);
        } else {
            sql.execute("DELETE FROM favourites WHERE track_id = ?", trackId);
        }
    }

    @Override
    public void delete(long id) {
        sql.execute("DELETE FROM history WHERE id = ?", id);
    }

    @Override
    public void clear() {
        sql.execute("DELETE FROM history");
        sql.execute("DELETE FROM favourites");
    }

    private List<HistoryEntry> songs(String clauses, Object... arguments) {
        List<HistoryEntry> found = new ArrayList<>();
        for (Object[] row : sql.query(
                "SELECT id, track_id, title, artist, first_recognized_ms, last_recognized_ms, offset_s, score, "
                        + "recognitions FROM history " + clauses,
                arguments)) {
            found.add(new HistoryEntry((Long) row[0], (String) row[1], (String) row[2], (String) row[3], (Long) row[4],
                    (Long) row[5], (Double) row[6], (Double) row[7], ((Long) row[8]).intValue()));
        }
        return found;
    }
}
