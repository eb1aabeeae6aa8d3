package org.nowplaying.core.pack;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.nowplaying.core.Golden;
import org.nowplaying.core.db.SongDatabase;

public class PackImportTest {
    private static final long MUCH = 1 << 26;

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
        SongDatabase.open(packs.resolve("mine.npdb"), space);
        try (Stream<Path> left = Files.list(packs)) {
            assertEquals("nothing is left lying about", 1, left.collect(Collectors.toList()).size());
        }
        PackImport.delete(packs.resolve("mine.npdb"));
        PackImport.delete(packs.resolve("mine.npdb"));
        assertTrue(Files.isDirectory(packs));
    }

    private static Path install(byte[] zip, Path packs, String space, long maxBytes) throws IOException {
        return PackImport.install(new ByteArrayInputStream(zip), packs, space, maxBytes);
    }

    private static byte[] zip(String prefix, int damaged) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes); Stream<Path> files = Files.list(Golden.path("demo.npdb"))) {
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
