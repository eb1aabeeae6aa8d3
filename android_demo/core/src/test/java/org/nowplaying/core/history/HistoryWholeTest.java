package org.nowplaying.core.history;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.time.ZoneId;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.nowplaying.core.JdbcSql;
import org.nowplaying.core.sql.Sql;

/** Favourites, statistics and backups. */
public class HistoryWholeTest {
    private static final String A = "00000000000000aa";
    private static final String B = "00000000000000bb";

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private SqlHistory history() throws Exception {
        Sql.Writer sql = JdbcSql.writer(folder.newFile().toPath());
        sql.execute(SqlHistory.SCHEMA);
        sql.execute(SqlHistory.FAVOURITES_SCHEMA);
        SqlHistory history = new SqlHistory(sql);
        history.insert(entry(A, "Bach", 1_700_000_000_000L));
        history.insert(entry(B, "Chopin", 1_700_003_600_000L));
        history.insert(entry(A, "Bach", 1_700_007_200_000L));
        return history;
    }

    private static HistoryEntry entry(String id, String artist, long timeMs) {
        return new HistoryEntry(0, id, "Title " + id.substring(14), artist, timeMs, timeMs + 1000, 12.25, 0.9, 2);
    }

    private static List<Long> times(List<HistoryEntry> entries) {
        return entries.stream().map(entry -> entry.firstRecognizedMs).collect(Collectors.toList());
    }

    @Test
    public void favouritesAreSongsAndAllTheirEntries() throws Exception {
        SqlHistory history = history();
        history.setFavourite(A, true);
        history.setFavourite(A, true);
        assertEquals(Collections.singleton(A), history.favouriteIds());
        assertEquals(Arrays.asList(1_700_007_200_000L, 1_700_000_000_000L), times(history.favourites("", 10)));
        assertEquals(0, history.favourites("chopin", 10).size());
        assertEquals(Arrays.asList(1_700_003_600_000L), times(history.ofTrack(B, 10)));
        history.setFavourite(A, false);
        assertEquals(0, history.favourites("", 10).size());
    }

    @Test
    public void songsArtistsAndHoursAreCounted() throws Exception {
        HistoryStatistics counted = new HistoryStatistics(history().search("", 10), ZoneId.of("UTC"));
        assertEquals(3, counted.entries);
        assertEquals(Arrays.asList(2, 1), counted.songs().stream().map(one -> one.times).collect(Collectors.toList()));
        assertEquals(A, counted.songs().get(0).entry.trackId);
        assertEquals("Bach", counted.artists().get(0).entry.artist);
        // 22:13:20, 23:13:20 and 00:13:20 UTC.
        assertEquals(1, counted.byHour[22]);
        assertEquals(1, counted.byHour[23]);
        assertEquals(1, counted.byHour[0]);
        assertEquals(2, new HistoryStatistics(history().search("bach", 10), ZoneId.of("Asia/Kolkata")).entries);
    }

    @Test
    public void aBackupIsReadIntoAnotherHistoryOnce() throws Exception {
        SqlHistory history = history();
        history.setFavourite(B, true);
        String text = HistoryBackup.write(history);
        SqlHistory other = history();
        other.clear();
        assertEquals(3, HistoryBackup.read(text).mergeInto(other));
        assertEquals("nothing twice", 0, HistoryBackup.read(text).mergeInto(other));
        assertEquals(text, HistoryBackup.write(other));
        assertEquals(new TreeSet<>(Arrays.asList(B)), other.favouriteIds());
    }

    @Test
    public void somethingElseIsNoBackup() throws Exception {
        String text = HistoryBackup.write(history());
        for (String bad : Arrays.asList("", "[]", "{}", text.replace("\"schema_version\":1", "\"schema_version\":2"),
                text.replace(A, "xx"), text.replace("0.9", "9.9"), text.replace("\"songs\"", "\"song\""),
                text.replace("1700000000000", "-5"))) {
            assertThrows(bad, IllegalArgumentException.class, () -> HistoryBackup.read(bad));
        }
    }
}
