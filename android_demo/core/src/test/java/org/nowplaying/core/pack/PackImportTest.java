package org.nowplaying.core.pack;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.nowplaying.core.Golden;
import org.nowplaying.core.JdbcSql;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.FileHash;
import org.nowplaying.core.artifact.Json;
import org.nowplaying.core.db.SongDatabase;
import org.nowplaying.core.db.SongPacks;

public class PackImportTest {
    private static final long MUCH = 1 << 26;
    private static final int DIM = 96;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void aGoodPackTakesItsPlaceAndABadOneLeavesTheOld() throws Exception {
        Path packs = folder.getRoot().toPath().resolve("packs");
        String space = (String) Golden.json("demo.json").get("embedding_space");
        byte[] good = zip("mine.npdb/", -1);
        // Left behind by an import that was killed.
        Files.write(Files.createDirectories(packs.resolve(".import-1")).resolve("codes-1.npy"), new byte[9]);
        Files.createDirectories(packs.resolve(".old-mine"));
        assertThrows(IOException.class, () -> install(zip("mine.npdb/", 3), packs, space, MUCH));
        assertTrue("an old pack stays until a good one comes", Files.isDirectory(packs.resolve("mine.npdb")));
        assertEquals(packs.resolve("mine.npdb"), install(good, packs, space, MUCH));
        assertEquals(packs.resolve("mine.npdb"), install(good, packs, space, MUCH));
        assertThrows(IOException.class, () -> install(zip("mine.npdb/", 3), packs, space, MUCH));
        assertThrows(IOException.class, () -> install(zip("../mine.npdb/", -1), packs, space, MUCH));
        assertThrows(IOException.class, () -> install(zip("mine.npdb/../", -1), packs, space, MUCH));
        assertThrows(IOException.class, () -> install(zip("mine/", -1), packs, space, MUCH));
        assertThrows(IOException.class, () -> install(good, packs, space, 10_000));
        assertThrows(IOException.class, () -> install(good, packs, "another", MUCH));
        assertThrows(IOException.class, () -> install(new byte[500], packs, space, MUCH));
        SongDatabase.open(packs.resolve("mine.npdb"), space, DIM);
        try (Stream<Path> left = Files.list(packs)) {
            assertEquals("nothing is left lying about", 1, left.collect(Collectors.toList()).size());
        }
        PackImport.delete(packs.resolve("mine.npdb"));
        PackImport.delete(packs.resolve("mine.npdb"));
        assertTrue(Files.isDirectory(packs));
    }

    @Test
    public void aPackThatWasMadeOtherwiseThanThoseInUseIsRefusedUnlessItReplacesThem() throws Exception {
        Path packs = folder.getRoot().toPath().resolve("packs");
        String space = (String) Golden.json("demo.json").get("embedding_space");
        Path installed = install(zip("mine.npdb/", -1), packs, space, MUCH);
        List<SongPacks.Pack> inUse = Arrays.asList(SongPacks.Pack.open(installed, space, DIM, JdbcSql::reader));
        Path sparse = copy("sparse");
        Map<String, Object> manifest = manifest(sparse);
        Object hopS = manifest.put("hop_s", 0.5);
        write(manifest, sparse);
        ArtifactException refusal = assertThrows(
                ArtifactException.class, () -> install(zip(sparse, "other.npdb/", -1), packs, space, inUse, MUCH));
        assertEquals(ArtifactException.Kind.MISMATCH, refusal.kind());
        String found = "hop_s is 0.5, but mine.npdb has " + hopS;
        assertTrue(refusal.getMessage(), refusal.getMessage().contains(found));
        assertFalse(Files.exists(packs.resolve("other.npdb")));
        install(zip("other.npdb/", -1), packs, space, inUse, MUCH);
        install(zip(sparse, "mine.npdb/", -1), packs, space, inUse, MUCH);
    }

    @Test
    public void aPackWhoseSongsCannotBeReadIsRefused() throws Exception {
        Path packs = folder.getRoot().toPath().resolve("packs");
        String space = (String) Golden.json("demo.json").get("embedding_space");
        String[] changes = {
            "CREATE VIEW more AS SELECT * FROM songs", "UPDATE songs SET track_id = x'00' WHERE song_index = 0",
            "UPDATE songs SET duration_s = -1 WHERE song_index = 5",
            "UPDATE songs SET title = hex(zeroblob(501)) WHERE song_index = 5",
            "UPDATE songs SET external_ids = '[' WHERE song_index = 5",
        };
        for (int i = 0; i < changes.length; i++) {
            Path forged = copy("forged" + i);
            Map<String, Object> manifest = manifest(forged);
            Map<String, Object> record = Golden.map(Golden.map(manifest.get("files")).get("songs"));
            Path songs = forged.resolve((String) record.get("name"));
            JdbcSql.writer(songs).execute(changes[i]);
            record.put("bytes", Files.size(songs));
            record.put("sha256", FileHash.sha256(Files.readAllBytes(songs)));
            write(manifest, forged);
            SongDatabase.open(forged, space, DIM);
            assertThrows(
                    changes[i], ArtifactException.class, () -> install(zip(forged, "forged.npdb/", -1), packs, space,
                            new ArrayList<>(), MUCH));
        }
    }

    private Path copy(String name) throws IOException {
        Path copy = folder.newFolder(name).toPath();
        try (Stream<Path> files = Files.list(Golden.path("demo.npdb"))) {
            for (Path file : files.collect(Collectors.toList())) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        return copy;
    }

    private static Map<String, Object> manifest(Path pack) throws IOException {
        String text = new String(Files.readAllBytes(pack.resolve("manifest.json")), StandardCharsets.UTF_8);
        return Golden.map(Json.parse(text));
    }

    private static void write(Map<String, Object> manifest, Path pack) throws IOException {
        manifest.remove("digest");
        manifest.put("digest", FileHash.sha256(Json.canonical(manifest)));
        Files.write(pack.resolve("manifest.json"), Json.canonical(manifest).getBytes(StandardCharsets.UTF_8));
    }

    private static Path install(byte[] zip, Path packs, String space, long maxBytes) throws IOException {
        return install(zip, packs, space, new ArrayList<>(), maxBytes);
    }

    private static Path install(byte[] zip, Path packs, String space, List<SongPacks.Pack> inUse, long maxBytes)
            throws IOException {
        return PackImport.install(new ByteArrayInputStream(zip), packs, space, DIM, JdbcSql::reader, inUse, maxBytes);
    }

    private static byte[] zip(String prefix, int damaged) throws IOException {
        return zip(Golden.path("demo.npdb"), prefix, damaged);
    }

    private static byte[] zip(Path pack, String prefix, int damaged) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes); Stream<Path> files = Files.list(pack)) {
            int number = 0;
            for (Path file : files.sorted().collect(Collectors.toList())) {
                byte[] content = Files.readAllBytes(file);
                if (number++ == damaged) {
                    content[content.length / 2] ^= 1;
                }
                zip.putNextEntry(new ZipEntry(prefix + file.getFileName()));
                zip.write(content);
            }
        }
        return bytes.toByteArray();
    }
}
