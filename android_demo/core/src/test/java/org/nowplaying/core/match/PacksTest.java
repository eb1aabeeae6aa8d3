package org.nowplaying.core.match;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.JdbcSql;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.db.SearchOptions;
import org.nowplaying.core.db.SongDatabase;
import org.nowplaying.core.db.SongPacks;
import org.nowplaying.core.song.Popularity;
import org.nowplaying.core.song.SqlSongStore;
import org.nowplaying.core.song.Track;

/** Two packs that share songs are searched as one, with and without popularity, as in Python. */
public class PacksTest {
    @Test
    public void answersAreThoseOfPython() throws Exception {
        Map<String, Object> record = Golden.json("packs.json");
        SongPacks packs = open(record, "first", "second");
        double[] prior = Popularity.read(Golden.path("plays.tsv"), packs.slots(), packs);
        double[] expected = Golden.list(record.get("log_prior")).stream().mapToDouble(Golden::number).toArray();
        assertArrayEquals(expected, prior, 1e-12);
        int named = 0;
        for (String name : Golden.map(record.get("answers")).keySet()) {
            SongMatcher matcher = new SongMatcher(
                    packs, new Acceptance(Golden.map(record.get("acceptance"))), name.equals("popular") ? prior : null);
            List<Object> answers = Golden.list(Golden.map(record.get("answers")).get(name));
            int n = 2 * answers.size();
            float[][] rows = AnswersTest.rows("demo-queries.npy", 12 * n, n, 12, packs.dim());
            for (int i = 0; i < answers.size(); i++) {
                float[][] query = Arrays.copyOfRange(rows, 24 * i, 24 * i + 12);
                Match match = matcher.match(query, Golden.number(record.get("hop_s")), new SearchOptions());
                AnswersTest.compare(name + ", query " + i, Golden.map(answers.get(i)), match);
                named += match.best() == null ? 0 : 1;
            }
        }
        assertTrue("named: " + named, named >= 50);
    }

    @Test
    public void songsAreNumberedThroughAndEachIsThereOnce() throws Exception {
        Map<String, Object> record = Golden.json("packs.json");
        SongPacks packs = open(record, "first", "second");
        List<Object> songs = Golden.list(record.get("songs"));
        assertEquals(songs.size(), packs.slots());
        for (int song = 0; song < songs.size(); song++) {
            Track track = packs.track(song);
            assertEquals(Golden.map(songs.get(song)).get("track_id"), track.trackId);
            assertEquals(song, packs.songOf(packs.start(song)));
            assertEquals(song, packs.songOf(packs.start(song + 1) - 1));
        }
        assertEquals((int) Golden.number(record.get("n_songs")), packs.trackIds().size());
        assertEquals(packs.trackIds().size(), packs.search("", 1000).size());
    }

    @Test
    public void packsMadeOtherwiseAreRefused() throws Exception {
        Map<String, Object> record = Golden.json("packs.json");
        SongPacks.Pack ours = pack("first", (String) record.get("embedding_space"));
        SongPacks.Pack theirs = pack("committed", (String) Golden.json("committed.json").get("embedding_space"));
        ArtifactException error = assertThrows(
                ArtifactException.class, () -> new SongPacks(Arrays.asList(ours, theirs)));
        assertEquals(ArtifactException.Kind.MISMATCH, error.kind());
    }

    private static SongPacks open(Map<String, Object> record, String... names) throws IOException {
        SongPacks.Pack[] packs = new SongPacks.Pack[names.length];
        for (int i = 0; i < names.length; i++) {
            packs[i] = pack(names[i], (String) record.get("embedding_space"));
        }
        return new SongPacks(Arrays.asList(packs));
    }

    private static SongPacks.Pack pack(String name, String space) throws IOException {
        SongDatabase database = SongDatabase.open(Golden.path(name + ".npdb"), space);
        SqlSongStore store = new SqlSongStore(JdbcSql.reader(database.manifest.file("songs")),
                database.manifest.file("songs"), database.manifest.slots, database.manifest.songs);
        return new SongPacks.Pack(database, store);
    }
}
