package org.nowplaying.core.song;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.nowplaying.core.Golden;
import org.nowplaying.core.JdbcSql;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.db.DatabaseManifest;

public class SongStoreTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void songsAreThoseThatPythonWrote() throws Exception {
        DatabaseManifest manifest = DatabaseManifest.read(Golden.path("demo.npdb"));
        SqlSongStore store = new SqlSongStore(
                JdbcSql.reader(manifest.file("songs")), manifest.file("songs"), manifest.slots, manifest.songs);
        List<Object> songs = Golden.list(Golden.json("demo-songs.json").get("songs"));
        assertEquals(manifest.songs, songs.size());
        Map<Integer, String> trackIds = new TreeMap<>();
        for (Object one : songs) {
            Map<String, Object> song = Golden.map(one);
            int number = (int) Golden.number(song.get("song_index"));
            Track track = store.track(number);
            assertEquals(song.get("track_id"), track.trackId);
            assertEquals(song.get("title"), track.title);
            assertEquals(song.get("artist"), track.artist);
            assertEquals(song.get("album"), track.album);
            assertEquals(song.get("source"), track.source);
            assertEquals(Golden.number(song.get("duration_s")), track.durationS, 0);
            assertEquals(song.get("external_ids"), track.externalIds);
            trackIds.put(number, track.trackId);
        }
        assertEquals(trackIds, store.trackIds());
        for (String text : new String[] {"", "blues", "BLUES", "%", "no such song", "'"}) {
            assertEquals(text, expected(store, trackIds, text), idsOf(store.search(text, 50)));
        }
        assertEquals(1, store.search("blues", 50).size());
        assertEquals(3, store.search("", 3).size());
    }

    /** The tracks with a text in title, artist or album, in the order of a search. */
    private static String expected(SqlSongStore store, Map<Integer, String> ids, String text) throws Exception {
        List<Track> found = new ArrayList<>();
        for (int song : ids.keySet()) {
            Track track = store.track(song);
            String all = track.title + "\n" + track.artist + "\n" + track.album;
            if (all.toLowerCase(Locale.ROOT).contains(text.toLowerCase(Locale.ROOT))) {
                found.add(track);
            }
        }
        found.sort(Track.BY_NAME);
        return idsOf(found);
    }

    private static String idsOf(List<Track> tracks) {
        return tracks.stream().map(track -> track.trackId).collect(Collectors.joining(" "));
    }

    @Test
    public void anythingButTheTableOfSongsIsRefused() throws Exception {
        DatabaseManifest manifest = DatabaseManifest.read(Golden.path("demo.npdb"));
        refuses(manifest, "CREATE VIEW more AS SELECT * FROM songs");
        refuses(manifest, "DELETE FROM songs WHERE song_index = 0");
        refuses(manifest, "UPDATE songs SET song_index = 9999 WHERE song_index = 0");
        refuses(manifest, "CREATE TRIGGER t AFTER DELETE ON songs BEGIN DELETE FROM songs; END");
        refuses(manifest, "UPDATE songs SET track_id = 'ABC' WHERE song_index = 0");
        refuses(manifest, "UPDATE songs SET external_ids = '[]' WHERE song_index = 0");
        refuses(manifest, "UPDATE songs SET duration_s = -1 WHERE song_index = 0");
        refuses(manifest, "UPDATE songs SET duration_s = -1 WHERE song_index = 5");
        Path none = folder.newFile().toPath();
        Files.write(none, "not SQLite, but as long as it".getBytes(StandardCharsets.UTF_8));
        assertThrows(ArtifactException.class, () -> read(none, manifest));
    }

    private void refuses(DatabaseManifest manifest, String change) throws Exception {
        Path copy = folder.newFile().toPath();
        Files.write(copy, Files.readAllBytes(manifest.file("songs")));
        read(copy, manifest);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + copy);
                Statement statement = connection.createStatement()) {
            statement.execute(change);
        }
        assertThrows(change, ArtifactException.class, () -> read(copy, manifest));
    }

    @Test
    public void aSongWithoutFingerprintsIsRefused() throws Exception {
        DatabaseManifest manifest = DatabaseManifest.read(Golden.path("demo.npdb"));
        Path path = manifest.file("songs");
        SqlSongStore store = new SqlSongStore(JdbcSql.reader(path), path, manifest.slots, manifest.songs);
        store.checkAll(song -> true);
        assertThrows(ArtifactException.class, () -> store.checkAll(song -> song != 7));
    }

    /** Two of a table's pages are the same one: a scan would see its songs twice. */
    @Test
    public void pagesThatAreNamedTwiceAreRefused() throws Exception {
        Path path = folder.newFile().toPath();
        Files.delete(path);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path);
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA page_size = 512");
            statement.execute(SqlSongStore.SCHEMA);
            for (int song = 0; song < 40; song++) {
                statement.execute("INSERT INTO songs VALUES (" + song
                        + ", '0123456789abcdef', hex(zeroblob(50)), '', '', 1.0, '', '{}')");
            }
        }
        new SqlSongStore(JdbcSql.reader(path), path, 40, 40).checkAll(song -> true);
        byte[] bytes = Files.readAllBytes(path);
        ByteBuffer root = ByteBuffer.wrap(bytes, 512, 512).slice(); // the table's: an inner page, whose cells name others
        int first = root.getShort(12);
        int second = root.getShort(14);
        root.putInt(second, root.getInt(first));
        Files.write(path, bytes);
        assertThrows(
                ArtifactException.class,
                () -> new SqlSongStore(JdbcSql.reader(path), path, 40, 40).checkAll(song -> true));
    }

    private static void read(Path path, DatabaseManifest manifest) throws ArtifactException {
        new SqlSongStore(JdbcSql.reader(path), path, manifest.slots, manifest.songs).checkAll(song -> true);
    }
}
