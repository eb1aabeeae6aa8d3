package org.nowplaying.core.match;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.db.SearchOptions;
import org.nowplaying.core.db.SongDatabase;
import org.nowplaying.core.fingerprint.Fingerprinter;
import org.nowplaying.core.model.ModelFolder;
import org.nowplaying.core.tflite.JavaRuntime;

/** From samples to answers: fingerprints, scores and songs are Python's. */
public class SoundsTest {
    private static final int ROWS = 12;
    private static final double LEAST_COSINE = 0.999;
    private static final double ROUNDING = 1e-6;
    private static final float PCM_SCALE = 32767;

    private final Map<String, Object> record = Golden.json("demo.json");
    private final Fingerprinter fingerprinter;
    private final SongMatcher matcher;
    private int rows;
    private int differentRows;

    public SoundsTest() throws Exception {
        SongDatabase database = AnswersTest.open("demo", record);
        fingerprinter = new Fingerprinter(
                new ModelFolder(Golden.path("models/fingerprinter"), "fingerprinter"), new JavaRuntime());
        matcher = new SongMatcher(database, fingerprinter.acceptance, null);
    }

    @Test
    public void soundsAreAnsweredAsInPython() throws Exception {
        List<Object> answers = Golden.list(Golden.map(record.get("answers")).get("default"));
        ByteBuffer pcm = Golden.array("demo-sounds.npy", "<i2", -1);
        ByteBuffer expected = Golden.array("demo-queries.npy", "<f4", answers.size(), ROWS, -1);
        int query = 0;
        int named = 0;
        for (Object one : Golden.list(Golden.json("demo-sounds.json").get("sounds"))) {
            Map<String, Object> sound = Golden.map(one);
            float[] samples = new float[(int) Golden.number(sound.get("samples"))];
            for (int i = 0; i < samples.length; i++) {
                samples[i] = pcm.getShort() / PCM_SCALE;
            }
            float[][] fingerprints = fingerprinter.embed(samples);
            for (Object part : Golden.list(sound.get("queries"))) {
                int first = (int) Golden.number(Golden.list(part).get(0));
                Object song = Golden.list(part).get(1);
                String where = "query " + query;
                float[][] found = Arrays.copyOfRange(fingerprints, first, first + ROWS);
                // LiteRT's default kernels differ from the reference kernels by steps of int8, but name the same song.
                assertEquals(where, song == null ? -1 : (int) Golden.number(song), song(match(found)));
                boolean isEqual = compareRows(where, expected, found);
                Match match = match(found);
                Map<String, Object> answer = Golden.map(answers.get(query));
                if (isEqual) {
                    AnswersTest.compare(where, answer, match);
                }
                Object best = answer.get("best");
                assertEquals(where, best == null ? -1 : (int) Golden.number(best), song(match));
                named += match.best() == null ? 0 : 1;
                query++;
            }
        }
        assertEquals(answers.size(), query);
        assertTrue("queries: " + query, query >= 150);
        assertTrue("songs named: " + named, named >= 40);
        assertTrue("unknown: " + (query - named), query - named >= 20);
        assertTrue(differentRows + " of " + rows + " fingerprints differ", differentRows <= 0.002 * rows);
    }

    @Test
    public void anExportedFingerprinterHasTheSameSpaceAndTheSameFingerprints() throws Exception {
        Fingerprinter exported = new Fingerprinter(
                new ModelFolder(Golden.path("models/exported-fingerprinter"), "fingerprinter"), new JavaRuntime());
        assertEquals(record.get("embedding_space"), exported.embeddingSpace);
        assertEquals(fingerprinter.embeddingSpace, exported.embeddingSpace);
        float[] samples = new float[5 * fingerprinter.sampleRateHz];
        for (int i = 0; i < samples.length; i++) {
            samples[i] = (float) Math.sin(i * 0.1 + i * (i % 7) * 0.01) / 2;
        }
        assertTrue(Arrays.deepEquals(fingerprinter.embed(samples), exported.embed(samples)));
    }

    private Match match(float[][] rows) throws IOException {
        return matcher.match(rows, fingerprinter.queryHopS, new SearchOptions());
    }

    private static int song(Match match) {
        return match.best() == null ? -1 : match.best().song;
    }

    /**
     * Says whether fingerprints equal the reference kernels', and leaves those out that the recorded query leaves out.
     *
     * <p>A logarithm that is rounded otherwise than the C library's can move a value of the encoder's input by a step, so a
     * few may differ.
     */
    private boolean compareRows(String where, ByteBuffer expected, float[][] found) {
        int different = 0;
        for (int row = 0; row < ROWS; row++) {
            float[] wanted = new float[found[row].length];
            double cosine = 0;
            double largest = 0;
            for (int i = 0; i < wanted.length; i++) {
                wanted[i] = expected.getFloat();
                cosine += (double) wanted[i] * found[row][i];
                largest = Math.max(largest, Math.abs(wanted[i] - found[row][i]));
            }
            if (Arrays.equals(wanted, new float[wanted.length])) {
                found[row] = wanted;
                continue;
            }
            assertTrue(where + ", row " + row + ": cosine " + cosine, cosine > LEAST_COSINE);
            rows++;
            different += largest > ROUNDING ? 1 : 0;
        }
        differentRows += different;
        return different == 0;
    }
}
