package org.nowplaying.core.db;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.nowplaying.core.Golden;
import org.nowplaying.core.artifact.ArtifactException;

/** Damaged and forged databases are refused where Python refuses them. */
public class RefusalTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void refusalsAreThoseOfPython() throws Exception {
        Map<String, Object> record = Golden.json("damaged/cases.json");
        String space = (String) record.get("embedding_space");
        List<String> different = new ArrayList<>();
        int refused = 0;
        for (Object one : Golden.list(record.get("cases"))) {
            Map<String, Object> expected = Golden.map(one);
            Path path = Golden.path("damaged/" + expected.get("number") + ".npdb");
            String error = errorOf(path, space);
            refused += error == null ? 0 : 1;
            if ((error == null) != (expected.get("error") == null)) {
                different.add(expected + ": " + error);
            }
        }
        assertEquals(new ArrayList<String>(), different);
        assertTrue("refused: " + refused, refused > 60);
    }

    @Test
    public void anotherEncoderAndAMissingFolderAreNamed() throws Exception {
        ArtifactException mismatch = assertThrows(
                ArtifactException.class, () -> SongDatabase.open(Golden.path("demo.npdb"), "another", 96));
        assertEquals(ArtifactException.Kind.MISMATCH, mismatch.kind());
        String space = (String) Golden.json("demo.json").get("embedding_space");
        SongDatabase.open(Golden.path("demo.npdb"), space, 96);
        assertThrows(ArtifactException.class, () -> SongDatabase.open(Golden.path("demo.npdb"), space, 128));
        ArtifactException missing = assertThrows(
                ArtifactException.class, () -> SongDatabase.open(Golden.path("nowhere.npdb"), "another", 96));
        assertEquals(ArtifactException.Kind.MISSING, missing.kind());
    }

    /** Each node of the chain has the one before it twice: 60 of them are 2^60 paths for a search. */
    @Test
    public void anIndexWhosePathsMultiplyIsRefused() throws Exception {
        int items = 5;
        int dim = 2;
        ByteBuffer nodes = ByteBuffer.allocate((items + 61) * 4 * (3 + dim)).order(ByteOrder.LITTLE_ENDIAN);
        for (int item = 0; item < items; item++) {
            nodes.putInt(1).putInt(0).putInt(0).putFloat(1).putFloat(0);
        }
        nodes.putInt(4).putInt(0).putInt(1).putInt(2).putInt(3);
        for (int node = items; node < items + 60; node++) {
            nodes.putInt(node == items + 59 ? items : items + 1).putInt(node).putInt(node).putFloat(0).putFloat(0);
        }
        Path path = folder.newFile().toPath();
        Files.write(path, nodes.array());
        assertThrows(
                ArtifactException.class,
                () -> new AnnoyIndex(path, items, dim).nearest(new float[] {1, 0}, 1, 100));
    }

    private static String errorOf(Path path, String space) throws Exception {
        ByteBuffer queries = Golden.array("damaged/queries.npy", "<f4", 2, 7, 24);
        try {
            SongDatabase database = SongDatabase.open(path, space, 24);
            float[][] rows = new float[14][24];
            for (float[] row : rows) {
                for (int i = 0; i < row.length && queries.hasRemaining(); i++) {
                    row[i] = queries.getFloat();
                }
            }
            Neighbors neighbors = database.nearest(rows, new SearchOptions().neighbors, new SearchOptions());
            for (long[] found : neighbors.fingerprints) {
                for (long fingerprint : found) {
                    if (fingerprint >= 0) {
                        database.songOf(fingerprint);
                        database.index.decoded(fingerprint);
                    }
                }
            }
        } catch (ArtifactException error) {
            return error.getMessage();
        }
        return null;
    }
}
