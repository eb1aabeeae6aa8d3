package org.nowplaying.core.db;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.artifact.ArtifactException;

/** Damaged and forged databases are refused where Python refuses them. */
public class RefusalTest {
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
    public void anotherEncoderAndAMissingFolderAreNamed() {
        ArtifactException mismatch = assertThrows(
                ArtifactException.class, () -> SongDatabase.open(Golden.path("demo.npdb"), "another"));
        assertEquals(ArtifactException.Kind.MISMATCH, mismatch.kind());
        ArtifactException missing = assertThrows(
                ArtifactException.class, () -> SongDatabase.open(Golden.path("nowhere.npdb"), "another"));
        assertEquals(ArtifactException.Kind.MISSING, missing.kind());
    }

    private static String errorOf(Path path, String space) throws Exception {
        ByteBuffer queries = Golden.array("damaged/queries.npy", "<f4", 2, 7, 24);
        try {
            SongDatabase database = SongDatabase.open(path, space);
            float[][] rows = new float[14][database.manifest.dim];
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
        } catch (ArtifactException | RadixOrder.DamagedOrderException error) {
            return error.getMessage();
        }
        return null;
    }
}
