package org.nowplaying.core.match;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.JdbcSql;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.db.DatabaseManifest;
import org.nowplaying.core.db.SearchOptions;
import org.nowplaying.core.db.SongPacks;
import org.nowplaying.core.song.Track;

/** Two packs that share songs are searched as one, as in Python. */
public class PacksTest {
    @Test
    public void answersAreThoseOfPython() throws Exception {
        assertEquals("answers with a song", 48, compare("packs.json", "first", "second")[0]);
    }

    @Test
    public void otherEncodingsOfASongAreOneAnswerWithIt() throws Exception {
        int[] counts = compare("copies.json", "first", "copies");
        assertTrue("answers with a song: " + counts[0], counts[0] >= 20);
        assertTrue("answers with a copy: " + counts[1], counts[1] >= 20);
    }

    private static int[] compare(String name, String... folders) throws Exception {
        Map<String, Object> record = Golden.json(name);
        SongPacks packs = open(record, folders);
        int[] counts = new int[2];
        SongMatcher matcher = new SongMatcher(packs, new Acceptance(Golden.map(record.get("acceptance"))), packs);
        List<Object> answers = Golden.list(record.get("answers"));
        int n = 2 * answers.size();
        float[][] rows = AnswersTest.rows("demo-queries.npy", 12 * n, n, 12, packs.dim());
        for (int i = 0; i < answers.size(); i++) {
            float[][] query = Arrays.copyOfRange(rows, 24 * i, 24 * i + 12);
            Match match = matcher.match(query, Golden.number(record.get("hop_s")), new SearchOptions());
            AnswersTest.compare("query " + i, Golden.map(answers.get(i)), match);
            counts[0] += match.best() == null ? 0 : 1;
            counts[1] += match.best() == null || match.best().also.isEmpty() ? 0 : 1;
        }
        return counts;
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
        assertEquals((int) Golden.number(record.get("n_songs")), packs.search("", 1000).size());
    }

    @Test
    public void songsOfAllPacksAreFoundInOneOrder() throws Exception {
        SongPacks packs = open(Golden.json("packs.json"), "first", "second");
        Map<String, Track> songs = new TreeMap<>();
        for (int song = 0; song < packs.slots(); song++) {
            songs.put(packs.track(song).trackId, packs.track(song));
        }
        List<Track> inOrder = new ArrayList<>(songs.values());
        inOrder.sort(Track.BY_NAME);
        for (int limit : new int[] {1, 3, inOrder.size() - 1, inOrder.size(), 1000}) {
            int n = Math.min(limit, inOrder.size());
            assertEquals(idsOf(inOrder.subList(0, n)), idsOf(packs.search("", limit)));
        }
    }

    private static List<String> idsOf(List<Track> tracks) {
        return tracks.stream().map(track -> track.trackId).collect(Collectors.toList());
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
        Path path = Golden.path(name + ".npdb");
        return SongPacks.Pack.open(path, space, DatabaseManifest.read(path).dim, JdbcSql::reader);
    }
}
