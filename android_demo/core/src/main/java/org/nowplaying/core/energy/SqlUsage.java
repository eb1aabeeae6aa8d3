package org.nowplaying.core.energy;

import java.util.List;
import org.nowplaying.core.sql.Sql;

/** What the app did on each day: how long it listened, how often the recognizer ran, how often that named a song. */
public final class SqlUsage {
    /** Makes the table of a new file; days are counted from 1970. */
    public static final String SCHEMA =
            "CREATE TABLE usage (day INTEGER PRIMARY KEY, listened_s REAL NOT NULL, wakes INTEGER NOT NULL, "
                    + "songs INTEGER NOT NULL)";

    /** Sums over some days. */
    public static final class Total {
        public final double listenedS;
        public final long wakes;
        public final long songs;

        Total(double listenedS, long wakes, long songs) {
            this.listenedS = listenedS;
            this.wakes = wakes;
            this.songs = songs;
        }
    }

    private final Sql.Writer sql;

    public SqlUsage(Sql.Writer sql) {
        this.sql = sql;
    }

    /** Adds to a day. */
    public void add(long day, double listenedS, int wakes, int songs) {
        sql.execute("INSERT OR IGNORE INTO usage (day, listened_s, wakes, songs) VALUES (?, 0, 0, 0)", day);
        sql.execute("UPDATE usage SET listened_s = listened_s + ?, wakes = wakes + ?, songs = songs + ? WHERE day = ?",
                listenedS, (long) wakes, (long) songs, day);
    }

    /** Returns the sums from one day to another, both included. */
    public Total total(long fromDay, long toDay) {
        List<Object[]> rows =
                sql.query("SELECT listened_s, wakes, songs FROM usage WHERE day BETWEEN ? AND ?", fromDay, toDay);
        double listenedS = 0;
        long wakes = 0;
        long songs = 0;
        for (Object[] row : rows) {
            listenedS += ((Number) row[0]).doubleValue();
            wakes += (Long) row[1];
            songs += (Long) row[2];
        }
        return new Total(listenedS, wakes, songs);
    }

    public void clear() {
        sql.execute("DELETE FROM usage");
    }
}
