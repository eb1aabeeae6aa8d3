package org.nowplaying.core.history;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TimeZone;
import org.junit.Test;
import org.nowplaying.core.loop.Answer;
import org.nowplaying.core.song.Track;

public class HistoryTest {
    private final List<HeardSong> kept = new ArrayList<>();
    private final History history = new History(new History.Store() {
        @Override
        public HeardSong last() {
            return kept.isEmpty() ? null : kept.get(kept.size() - 1);
        }

        @Override
        public HeardSong insert(HeardSong song) {
            kept.add(new HeardSong(kept.size() + 1, song.trackId, song.title, song.artist, song.firstHeardMs,
                    song.lastHeardMs, song.offsetS, song.score, song.recognitions));
            return last();
        }

        @Override
        public void update(HeardSong song) {
            kept.set((int) song.id - 1, song);
        }

        @Override
        public List<HeardSong> search(String text, int most) {
            return kept;
        }

        @Override
        public void delete(long id) {}

        @Override
        public void clear() {}
    });

    @Test
    public void theSameSongSoonAgainIsTheSameHearing() {
        history.add(answer("a", 0.9), 1_000);
        history.add(answer("a", 0.95), 601_000);
        history.add(answer("a", 0.8), 1_201_000);
        assertEquals(1, kept.size());
        assertEquals(3, kept.get(0).recognitions);
        assertEquals(0.95, kept.get(0).score, 0);
        assertEquals(1_000, kept.get(0).firstHeardMs);
        assertEquals(1_201_000, kept.get(0).lastHeardMs);
        history.add(answer("a", 0.9), 1_801_001);
        assertEquals("later than ten minutes is another hearing", 2, kept.size());
        history.add(answer("b", 0.9), 1_802_000);
        history.add(answer("a", 0.9), 1_803_000);
        assertEquals("and so is one after another song", 4, kept.size());
    }

    @Test
    public void theTableKeepsQuotesAndIsNoFormula() {
        history.add(new Answer(track("a", "=HYPERLINK(\"x\")", "She said \"no\", twice"), 1, 0.75, 8), 0);
        String[] lines = HistoryExport.csv(kept, TimeZone.getTimeZone("GMT+02:00")).split("\r\n");
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
