package org.nowplaying.core.match;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.db.DatabaseManifest;
import org.nowplaying.core.db.Neighbors;
import org.nowplaying.core.db.SearchOptions;
import org.nowplaying.core.db.SongDatabase;

/** The same neighbors, scores and answers as Python, for fingerprints of real recordings and a committed database. */
public class AnswersTest {
    private static final double TIE = 1e-6;
    private static final double SCORE = 1e-5;

    @Test
    public void theDemosQueriesAreAnsweredAsInPython() throws Exception {
        int[] counts = compareAnswers("demo");
        assertTrue("queries: " + counts[0], counts[0] >= 300);
        assertTrue("songs named: " + counts[1], counts[1] >= 100);
        assertTrue("unknown: " + (counts[0] - counts[1]), counts[0] - counts[1] >= 50);
    }

    @Test
    public void theCommittedDatabaseIsAnsweredAsInPython() throws Exception {
        compareAnswers("committed");
    }

    @Test
    public void codesOfWholeVectorsAreReadAsInPython() throws Exception {
        int[] counts = compareAnswers("residual");
        assertTrue("songs named: " + counts[1], counts[1] >= 10);
    }

    @Test
    public void neighborsAreThoseOfPython() throws Exception {
        compareNeighbors("demo");
        compareNeighbors("committed");
        compareNeighbors("residual");
    }

    private static int[] compareAnswers(String name) throws IOException {
        Map<String, Object> record = Golden.json(name + ".json");
        SongDatabase database = open(name, record);
        double hopS = Golden.number(record.get("hop_s"));
        SongMatcher matcher = new SongMatcher(database, new Acceptance(Golden.map(record.get("acceptance"))), null);
        int[] counts = new int[2];
        for (String option : Golden.map(record.get("answers")).keySet()) {
            List<Object> answers = Golden.list(Golden.map(record.get("answers")).get(option));
            int rows = Golden.array(name + "-queries.npy", "<f4", answers.size(), -1, database.manifest.dim).remaining()
                    / 4 / answers.size() / database.manifest.dim;
            float[][] all = rows(name + "-queries.npy", answers.size() * rows, answers.size(), rows, database.manifest.dim);
            for (int i = 0; i < answers.size(); i++) {
                float[][] query = java.util.Arrays.copyOfRange(all, i * rows, (i + 1) * rows);
                Match match = matcher.match(query, hopS, options(record, option));
                compare(name + ", " + option + ", query " + i, Golden.map(answers.get(i)), match);
                counts[0]++;
                counts[1] += match.best() == null ? 0 : 1;
            }
        }
        return counts;
    }

    static void compare(String place, Map<String, Object> expected, Match found) {
        Object best = expected.get("best");
        assertEquals(place, best == null ? -1 : (int) Golden.number(best), found.best() == null ? -1 : found.best().song);
        assertEquals(place, Golden.number(expected.get("threshold")), found.threshold, 1e-12);
        List<Object> evidence = Golden.list(expected.get("evidence"));
        for (int i = 0; i < evidence.size(); i++) {
            String measure = place + ": " + Evidence.MEASURES[i];
            assertEquals(measure, Golden.number(evidence.get(i)), found.evidence.measures()[i], SCORE);
        }
        List<Object> candidates = Golden.list(expected.get("candidates"));
        assertEquals(place, candidates.size(), found.candidates.size());
        for (int i = 0; i < candidates.size(); i++) {
            List<Object> candidate = Golden.list(candidates.get(i));
            Match.Candidate one = found.candidates.get(i);
            String which = place + ", candidate " + i;
            assertEquals(which, Golden.number(candidate.get(2)), one.rawScore, SCORE);
            assertEquals(which, Golden.number(candidate.get(3)), one.score, SCORE);
            assertEquals(which, (int) Golden.number(candidate.get(0)), one.song);
            assertEquals(which, Golden.number(candidate.get(1)), one.offsetS, 1e-3);
            List<Object> also = Golden.list(candidate.get(4));
            assertEquals(which, also.size(), one.also.size());
            for (int k = 0; k < also.size(); k++) {
                assertEquals(which, (int) Golden.number(also.get(k)), (int) one.also.get(k));
            }
        }
    }

    private static void compareNeighbors(String name) throws IOException {
        Map<String, Object> record = Golden.json(name + ".json");
        SongDatabase database = open(name, record);
        for (String option : Golden.map(record.get("options")).keySet()) {
            SearchOptions options = options(record, option);
            String prefix = name + "-" + option;
            ByteBuffer neighbors = Golden.array(prefix + "-neighbors.npy", "<i8", -1, options.neighbors);
            int n = neighbors.remaining() / 8 / options.neighbors;
            ByteBuffer similarities = Golden.array(prefix + "-similarities.npy", "<f4", n, options.neighbors);
            float[][] queries = rows(prefix + "-rows.npy", n, n, database.manifest.dim);
            for (int q = 0; q < n; q++) {
                Neighbors found = database.nearest(new float[][] {queries[q]}, options.neighbors, options);
                for (int i = 0; i < options.neighbors; i++) {
                    String place = prefix + ", query " + q + ", neighbor " + i;
                    long fingerprint = neighbors.getLong(8 * (q * options.neighbors + i));
                    float similarity = similarities.getFloat(4 * (q * options.neighbors + i));
                    assertEquals(place, similarity, found.similarities[0][i], TIE);
                    if (fingerprint != found.fingerprints[0][i]) {
                        assertTrue(place, isTied(found.similarities[0], i));
                    }
                }
            }
        }
    }

    /** Whether a neighbor may have changed places with a neighbor, or with one that is no longer on the list. */
    private static boolean isTied(float[] similarities, int i) {
        return i == similarities.length - 1
                || Math.abs(similarities[i + 1] - similarities[i]) <= TIE
                || i > 0 && Math.abs(similarities[i - 1] - similarities[i]) <= TIE;
    }

    static SongDatabase open(String name, Map<String, Object> record) throws IOException {
        Path path = Golden.path(name + ".npdb");
        return SongDatabase.open(path, (String) record.get("embedding_space"), DatabaseManifest.read(path).dim);
    }

    private static SearchOptions options(Map<String, Object> record, String name) {
        List<Object> values = Golden.list(Golden.map(record.get("options")).get(name));
        SearchOptions options = new SearchOptions();
        options.probe = (int) Golden.number(values.get(0));
        options.neighbors = (int) Golden.number(values.get(1));
        options.candidates = (int) Golden.number(values.get(2));
        options.best = (int) Golden.number(values.get(3));
        return options;
    }

    static float[][] rows(String name, int n, long... shape) throws IOException {
        ByteBuffer values = Golden.array(name, "<f4", shape);
        float[][] rows = new float[n][(int) shape[shape.length - 1]];
        for (float[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                row[i] = values.getFloat();
            }
        }
        return rows;
    }
}
