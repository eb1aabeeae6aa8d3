package org.nowplaying.core.history;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import java.util.Collections;
import java.util.List;
import java.util.TimeZone;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.nowplaying.core.JdbcSql;
import org.nowplaying.core.loop.Answer;
import org.nowplaying.core.song.Track;
import org.nowplaying.core.sql.Sql;

public class HistoryTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private SqlHistory store;
    private History history;

    @Before
    public void makeAnEmptyHistory() throws Exception {
        Sql.Writer sql = JdbcSql.writer(folder.newFile().toPath());
        sql.execute(SqlHistory.SCHEMA);
        sql.execute(SqlHistory.FAVOURITES_SCHEMA);
        store = new SqlHistory(sql);
        history = new History(store);
    }

    private List<HistoryEntry> kept() {
        return store.search("", 1000);
    }

    @Test
    public void theSameSongSoonAgainIsTheSameHearing() {
        history.add(answer("a", 0.9), 1_000);
        history.add(answer("a", 0.95), 601_000);
        history.add(answer("a", 0.8), 1_201_000);
        assertEquals(1, kept().size());
        assertEquals(3, kept().get(0).recognitions);
        assertEquals(0.95, kept().get(0).score, 0);
        assertEquals(1_000, kept().get(0).firstRecognizedMs);
        assertEquals(1_201_000, kept().get(0).lastRecognizedMs);
        history.add(answer("a", 0.9), 1_801_001);
        assertEquals("later than ten minutes is another entry", 2, kept().size());
        history.add(answer("b", 0.9), 1_802_000);
        history.add(answer("a", 0.9), 1_803_000);
        assertEquals("and so is one after another song", 4, kept().size());
        assertEquals("newest first", "Title a", kept().get(0).title);
    }

    @Test
    public void aClockThatWasSetBackEndsNoEntryBeforeItBegan() {
        history.add(answer("a", 0.9), 5_000_000);
        history.add(answer("a", 0.9), 1_000_000);
        assertEquals(1, kept().size());
        assertEquals(5_000_000, kept().get(0).lastRecognizedMs);
        assertEquals(0, HistoryBackup.read(HistoryBackup.write(store)).mergeInto(store));
    }

    @Test
    public void aBackupHoldsTheLongestNamesThatPacksMayHave() {
        String note = new String(Character.toChars(0x1F3B5));
        String longest = String.join("", Collections.nCopies(1000, note));
        history.add(new Answer(track("a", longest, longest), 1, 0.9, 8), 1_000);
        String text = HistoryBackup.write(store);
        store.clear();
        assertEquals(1, HistoryBackup.read(text).mergeInto(store));
        assertEquals(longest, kept().get(0).artist);
    }

    @Test
    public void entriesAreFoundAndDeleted() {
        history.add(answer("a", 0.9), 1_000);
        history.add(new Answer(track("b", "100% of_it", "O'Hara"), 1, 0.8, 8), 2_000);
        history.add(answer("c", 0.7), 3_000);
        assertEquals(1, store.search("% of_", 10).size());
        assertEquals(0, store.search("%of", 10).size());
        assertEquals(1, store.search("o'hara", 10).size());
        assertEquals(2, store.search("title", 10).size());
        assertEquals(2, store.search("", 2).size());
        store.delete(store.search("o'hara", 10).get(0).id);
        assertEquals(2, kept().size());
        assertEquals(0.9, store.search("Title a", 1).get(0).score, 0);
        assertEquals(12, store.search("Title a", 1).get(0).offsetS, 0);
        store.clear();
        assertEquals(0, kept().size());
        assertNull(store.last());
    }

    @Test
    public void theTableKeepsQuotesAndIsNoFormula() {
        history.add(new Answer(track("a", "=HYPERLINK(\"x\")", "She said \"no\", twice"), 1, 0.75, 8), 0);
        String[] lines = HistoryExport.csv(kept(), TimeZone.getTimeZone("GMT+02:00")).split("\r\n");
        assertEquals(2, lines.length);
        String row = "1970-01-01T02:00:00+02:00,1970-01-01T02:00:00+02:00,\"'=HYPERLINK(\"\"x\"\")\","
                + "\"She said \"\"no\"\", twice\",";
        assertTrue(lines[1], lines[1].startsWith(row));
        assertTrue(lines[1], lines[1].endsWith(",0.7500,1"));
    }

    private static Answer answer(String id, double score) {
        return new Answer(track(id, "Title " + id, "Artist"), 12, score, 8);
    }

    private static Track track(String id, String title, String artist) {
        String hex = (id + "000000000000000").substring(0, 15) + "0";
        return new Track(hex, title, artist, "", 200.0, "", Collections.emptyMap());
    }
}
