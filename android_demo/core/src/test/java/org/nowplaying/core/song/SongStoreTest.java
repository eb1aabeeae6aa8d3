package org.nowplaying.core.song;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
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
    public void bothStoresHoldWhatPythonWrote() throws Exception {
        DatabaseManifest manifest = DatabaseManifest.read(Golden.path("demo.npdb"));
        SongStore sql = new SqlSongStore(
                JdbcSql.reader(manifest.file("songs")), manifest.file("songs"), manifest.slots, manifest.songs);
        SongStore json = new JsonSongStore(Golden.path("demo-songs.json"), manifest.slots, manifest.songs);
        List<Object> songs = Golden.list(Golden.json("demo-songs.json").get("songs"));
        assertEquals(manifest.songs, songs.size());
        assertEquals(json.trackIds(), sql.trackIds());
        for (Object one : songs) {
            Map<String, Object> song = Golden.map(one);
            int number = (int) Golden.number(song.get("song_index"));
            for (SongStore store : new SongStore[] {sql, json}) {
                Track track = store.track(number);
                assertEquals(song.get("track_id"), track.trackId);
                assertEquals(song.get("title"), track.title);
                assertEquals(song.get("artist"), track.artist);
                assertEquals(song.get("album"), track.album);
                assertEquals(song.get("source"), track.source);
                assertEquals(Golden.number(song.get("duration_s")), track.durationS, 0);
                assertEquals(song.get("external_ids"), track.externalIds);
                assertEquals(number, store.find(track.trackId));
            }
        }
        assertEquals(-1, sql.find("ffffffffffffffff"));
        assertEquals(-1, json.find("ffffffffffffffff"));
        for (String text : new String[] {"", "blues", "BLUES", "%", "no such song", "'"}) {
            assertEquals(text, ids(json.search(text, 50)), ids(sql.search(text, 50)));
        }
        assertEquals(1, sql.search("blues", 50).size());
        assertEquals(3, sql.search("", 3).size());
    }

    private static String ids(List<Track> tracks) {
        StringBuilder ids = new StringBuilder();
        tracks.forEach(track -> ids.append(track.trackId).append(' '));
        return ids.toString();
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
        Path none = folder.newFile().toPath();
        Files.write(none, "not SQLite, but as long as it".getBytes(StandardCharsets.UTF_8));
        assertThrows(ArtifactException.class, () -> read(none, manifest));
        Path json = folder.newFile().toPath();
        Files.write(json, "{\"songs\": [{\"song_index\": 0}]}".getBytes(StandardCharsets.UTF_8));
        assertThrows(ArtifactException.class, () -> new JsonSongStore(json, manifest.slots, 1));
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

    private static void read(Path path, DatabaseManifest manifest) throws ArtifactException {
        new SqlSongStore(JdbcSql.reader(path), path, manifest.slots, manifest.songs).track(0);
    }

    @Test
    public void aTableOfPopularityMustBeOne() throws Exception {
        Path path = folder.newFile().toPath();
        SongStore store = new JsonSongStore(Golden.path("demo-songs.json"), 100, 12);
        for (String text : new String[] {"", "track_id,count\nx,1", "track_id\tcount\nx\t-1", "track_id\tcount\nx"}) {
            Files.write(path, text.getBytes(StandardCharsets.UTF_8));
            assertThrows(text, java.io.IOException.class, () -> Popularity.read(path, 100, store));
        }
        Files.write(path, "count\ttrack_id\n3\tffffffffffffffff\n".getBytes(StandardCharsets.UTF_8));
        assertTrue(java.util.Arrays.equals(new double[100], Popularity.read(path, 100, store)));
    }
}
