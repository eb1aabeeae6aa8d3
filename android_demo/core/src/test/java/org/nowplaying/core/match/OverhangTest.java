package org.nowplaying.core.match;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.db.SearchOptions;
import org.nowplaying.core.fingerprint.Fingerprinter;
import org.nowplaying.core.model.ModelFolder;
import org.nowplaying.core.tflite.JavaRuntime;

/** Windows that overhang a short query, their fingerprints and the answers from them are Python's. */
public class OverhangTest {
    private static final double LEAST_COSINE = 0.999;
    private static final double ROUNDING = 1e-6;
    private static final float PCM_SCALE = 32767;

    private final Map<String, Object> record = Golden.json("overhang.json");
    private int overhanging;
    private int named;
    private int rows;
    private int differentRows;

    public OverhangTest() throws Exception {}

    @Test
    public void shortQueriesAreOverhungAndAnsweredAsInPython() throws Exception {
        Fingerprinter fingerprinter = open("opens");
        SongMatcher matcher = new SongMatcher(AnswersTest.open("demo", record), fingerprinter.acceptance, null);
        ByteBuffer pcm = Golden.array("overhang-pcm.npy", "<i2", -1);
        ByteBuffer expected = Golden.array("overhang-rows.npy", "<f4", -1, 96);
        int query = 0;
        for (Object one : Golden.list(record.get("queries"))) {
            Map<String, Object> asked = Golden.map(one);
            String where = "query " + query++;
            float[] samples = new float[(int) Golden.number(asked.get("samples"))];
            for (int i = 0; i < samples.length; i++) {
                samples[i] = pcm.getShort() / PCM_SCALE;
            }
            double firstS = fingerprinter.firstS(samples.length);
            assertEquals(where, Golden.number(asked.get("first_s")), firstS, 0);
            overhanging += firstS < 0 ? 1 : 0;
            float[][] found = fingerprinter.embed(samples);
            assertEquals(where, (int) Golden.number(asked.get("rows")), found.length);
            boolean isEqual = compareRows(where, expected, found);
            Match match = matcher.match(found, fingerprinter.queryHopS, firstS, new SearchOptions());
            if (isEqual) {
                AnswersTest.compare(where, Golden.map(asked.get("answer")), match);
                named += match.best() == null ? 0 : 1;
            }
        }
        assertTrue("overhanging: " + overhanging, overhanging >= 10 && overhanging < query);
        assertTrue("named: " + named, named >= 6);
        assertTrue(differentRows + " of " + rows + " fingerprints differ", differentRows <= 0.02 * rows);
    }

    @Test
    public void anOverhangThatIsNoneIsRefused() {
        int refused = (int) Golden.number(record.get("refused"));
        assertTrue(refused >= 4);
        for (int number = 0; number < refused; number++) {
            String name = "refused-" + number;
            ArtifactException error = assertThrows(name, ArtifactException.class, () -> open(name));
            assertEquals(ArtifactException.Kind.CORRUPT, error.kind());
            assertTrue(error.getMessage(), error.getMessage().contains("query_overhang"));
        }
    }

    private static Fingerprinter open(String name) throws Exception {
        return new Fingerprinter(
                new ModelFolder(Golden.path("overhanging/" + name), "fingerprinter"), new JavaRuntime());
    }

    private boolean compareRows(String where, ByteBuffer expected, float[][] found) {
        boolean isEqual = true;
        for (int row = 0; row < found.length; row++) {
            double cosine = 0;
            double largest = 0;
            double length = 0;
            for (float value : found[row]) {
                float wanted = expected.getFloat();
                cosine += (double) wanted * value;
                length += (double) wanted * wanted;
                largest = Math.max(largest, Math.abs(wanted - value));
            }
            assertTrue(where + ", row " + row + ": cosine " + cosine, length == 0 ? largest == 0 : cosine > LEAST_COSINE);
            rows++;
            differentRows += largest > ROUNDING ? 1 : 0;
            isEqual &= largest <= ROUNDING;
        }
        return isEqual;
    }
}
