package org.nowplaying.core.sql;

import java.util.List;

/** One SQLite file, through whatever reads SQLite here: Android's own on a phone, JDBC in tests. */
public interface Sql {
    /**
     * Returns a query's rows: integers as Long, other numbers as Double, text as String.
     *
     * @param arguments numbers or texts for the question marks
     * @throws RuntimeException where the file cannot be read
     */
    List<Object[]> query(String sql, Object... arguments);

    /** One that may be written. */
    interface Writer extends Sql {
        /**
         * Runs a statement.
         *
         * @return the newest row's id after an INSERT
         * @throws RuntimeException where the file cannot be written
         */
        long execute(String sql, Object... arguments);
    }
}
