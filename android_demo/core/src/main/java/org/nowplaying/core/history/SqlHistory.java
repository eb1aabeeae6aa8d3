package org.nowplaying.core.history;

import java.util.ArrayList;
import java.util.List;
import org.nowplaying.core.sql.Like;
import org.nowplaying.core.sql.Sql;

/** The history in SQLite. */
public final class SqlHistory implements History.Store {
    /** Makes the table of a new file. */
    public static final String SCHEMA =
            "CREATE TABLE heard (id INTEGER PRIMARY KEY, track_id TEXT NOT NULL, title TEXT NOT NULL, "
                    + "artist TEXT NOT NULL, first_heard_ms INTEGER NOT NULL, last_heard_ms INTEGER NOT NULL, "
                    + "offset_s REAL NOT NULL, score REAL NOT NULL, recognitions INTEGER NOT NULL)";

    private static final String NEWEST = "ORDER BY last_heard_ms DESC, id DESC LIMIT ?";

    private final Sql.Writer sql;

    public SqlHistory(Sql.Writer sql) {
        this.sql = sql;
    }

    @Override
    public HeardSong last() {
        List<HeardSong> found = songs(NEWEST, 1L);
        return found.isEmpty() ? null : found.get(0);
    }

    @Override
    public HeardSong insert(HeardSong song) {
        long id = sql.execute(
                "INSERT INTO heard (track_id, title, artist, first_heard_ms, last_heard_ms, offset_s, score, "
                        + "recognitions) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                song.trackId, song.title, song.artist, song.firstHeardMs, song.lastHeardMs, song.offsetS, song.score,
                (long) song.recognitions);
        return new HeardSong(id, song.trackId, song.title, song.artist, song.firstHeardMs, song.lastHeardMs,
                song.offsetS, song.score, song.recognitions);
    }

    @Override
    public void update(HeardSong song) {
        sql.execute(
                "UPDATE heard SET last_heard_ms = ?, score = ?, recognitions = ? WHERE id = ?",
                song.lastHeardMs, song.score, (long) song.recognitions, song.id);
    }

    @Override
    public List<HeardSong> search(String text, int most) {
        String like = Like.containing(text);
        return songs("WHERE title LIKE ? ESCAPE '\\' OR artist LIKE ? ESCAPE '\\' " + NEWEST, like, like, (long) most);
    }

    @Override
    public void delete(long id) {
        sql.execute("DELETE FROM heard WHERE id = ?", id);
    }

    @Override
    public void clear() {
        sql.execute("DELETE FROM heard");
    }

    private List<HeardSong> songs(String clauses, Object... arguments) {
        List<HeardSong> found = new ArrayList<>();
        for (Object[] row : sql.query(
                "SELECT id, track_id, title, artist, first_heard_ms, last_heard_ms, offset_s, score, recognitions "
                        + "FROM heard " + clauses,
                arguments)) {
            found.add(new HeardSong((Long) row[0], (String) row[1], (String) row[2], (String) row[3], (Long) row[4],
                    (Long) row[5], (Double) row[6], (Double) row[7], ((Long) row[8]).intValue()));
        }
        return found;
    }
}
