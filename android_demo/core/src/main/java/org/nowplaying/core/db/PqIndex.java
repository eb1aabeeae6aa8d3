package org.nowplaying.core.db;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.NpyFile;

/** Search through codes: Annoy finds the cells, tables give the similarities of the codes in them. */
public final class PqIndex {
    private static final double RANK_RESERVE = 1.5; // a query's own cells may hold fewer codes than the average
    private static final float SCAN_STEPS = 65_000; // so that sums fit 16 bits in Python, whose choice this must be
    private static final int REFINED = 3; // codes decoded for each neighbor that is returned

    private final DatabaseManifest manifest;
    private final Codebook codebook;
    private final AnnoyIndex annoy;
    private final ByteBuffer codes;
    private final long[] starts;
    private final RadixOrder order;

    PqIndex(DatabaseManifest manifest) throws ArtifactException {
        this.manifest = manifest;
        codes = NpyFile.map(manifest.file("codes"), "|u1", manifest.codes, manifest.subspaces);
        starts = SongDatabase.ascending(manifest.file("list_starts"), manifest.cells + 1L, manifest.codes);
        codebook = new Codebook(manifest);
        annoy = new AnnoyIndex(manifest.file("cells"), manifest.cells, manifest.dim);
        order = new RadixOrder(manifest, starts);
    }

    /** Returns a query in the coordinates of {@link #decoded}. */
    public float[] rotate(float[] query) {
        return codebook.rotate(query);
    }

    /** Returns a vector of this database in the coordinates of queries that are not rotated. */
    public float[] unrotate(float[] vector) {
        return codebook.unrotate(vector);
    }

    /** Returns what the code of a fingerprint decodes to, rotated; null for silence. */
    public float[] decoded(long fingerprint) {
        int cell = order.cell(fingerprint);
        if (cell >= manifest.cells) {
            return null;
        }
        float[] centroid = codebook.rotate(codebook.centroid(cell));
        return codebook.decode(centroid, codes, order.position(fingerprint));
    }

    /** Returns whether the neighbors in its song matter to {@link #reference}. */
    public boolean smooths() {
        return codebook.smooths();
    }

    /**
     * Returns what queries are compared with at a fingerprint: rotated, and divided by a power of its length.
     *
     * @param before decoded; null where the song begins or is silent
     * @param own decoded
     * @param after decoded; null where the song ends or is silent
     */
    public float[] reference(float[] before, float[] own, float[] after) {
        return codebook.reference(before, own, after);
    }

    /** Returns the similarities of a query, not rotated, to the vectors of the cohort. */
    public float[] cohortSimilarities(float[] query) {
        float[] similarities = new float[codebook.cohort.length / manifest.dim];
        for (int i = 0; i < similarities.length; i++) {
            similarities[i] = Codebook.dot(codebook.cohort, i * manifest.dim, query);
        }
        return similarities;
    }

    /** Returns the nearest codes of each query; all queries look into the union of their cells. */
    public Neighbors nearest(float[][] queries, int neighbors, SearchOptions options) {
        int[] cells = probe(queries, options);
        int[] begins = new int[cells.length + 1];
        for (int i = 0; i < cells.length; i++) {
            begins[i + 1] = Math.toIntExact(begins[i] + starts[cells[i] + 1] - starts[cells[i]]);
        }
        long[][] fingerprints = new long[queries.length][];
        float[][] similarities = new float[queries.length][];
        Map<Integer, float[]> centroids = new HashMap<>();
        Map<Long, Long> numbers = new HashMap<>();
        for (int q = 0; q < queries.length; q++) {
            float[] rotated = codebook.rotate(queries[q]);
            int[] columns = TopK.of(scan(queries[q], rotated, cells, begins), REFINED * neighbors);
            long[] positions = new long[columns.length];
            float[] refined = new float[columns.length];
            int[] cellOf = new int[columns.length];
            for (int i = 0; i < columns.length; i++) {
                int list = listOf(begins, columns[i]);
                cellOf[i] = cells[list];
                positions[i] = starts[cells[list]] + columns[i] - begins[list];
                float[] centroid = centroids.computeIfAbsent(
                        cellOf[i], cell -> codebook.rotate(codebook.centroid(cell)));
                float[] vector = codebook.normalize(codebook.decode(centroid, codes, positions[i]));
                refined[i] = Codebook.dot(vector, 0, rotated);
            }
            int[] best = TopK.of(refined, neighbors);
            fingerprints[q] = new long[neighbors];
            similarities[q] = new float[neighbors];
            Arrays.fill(fingerprints[q], -1);
            Arrays.fill(similarities[q], Float.NEGATIVE_INFINITY);
            for (int i = 0; i < best.length; i++) {
                int cell = cellOf[best[i]];
                fingerprints[q][i] = numbers.computeIfAbsent(
                        positions[best[i]], position -> order.fingerprint(position, cell));
                similarities[q][i] = refined[best[i]];
            }
        }
        return new Neighbors(fingerprints, similarities, begins[cells.length]);
    }

    private static int listOf(int[] begins, int column) {
        int list = Arrays.binarySearch(begins, column);
        if (list < 0) {
            return -list - 2;
        }
        while (begins[list + 1] == column) { // cells without codes
            list++;
        }
        return list;
    }

    private int[] probe(float[][] queries, SearchOptions options) {
        double wanted = options.toScan(manifest.fingerprints);
        double ranks = options.probe > 0
                ? options.probe : Math.ceil(RANK_RESERVE * manifest.cells * wanted / manifest.fingerprints);
        if (ranks >= manifest.cells) {
            int[] all = new int[manifest.cells];
            Arrays.setAll(all, i -> i);
            return all;
        }
        int n = (int) ranks;
        int[][] found = new int[queries.length][];
        for (int q = 0; q < queries.length; q++) {
            found[q] = annoy.nearest(queries[q], n, Math.max(options.searchK, 4 * n));
        }
        // In the order of their best rank with any query.
        Set<Integer> cells = new LinkedHashSet<>();
        long held = 0;
        for (int rank = 0; rank < n; rank++) {
            for (int[] row : found) {
                if (rank < row.length && (options.probe > 0 || held < wanted) && cells.add(row[rank])) {
                    held += starts[row[rank] + 1] - starts[row[rank]];
                }
            }
        }
        return cells.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Returns how near every code is to a query, in whole steps of the query's own, as Python rounds them. */
    private float[] scan(float[] query, float[] rotated, int[] cells, int[] begins) {
        int subspaces = manifest.subspaces;
        float[] coarse = new float[cells.length];
        float lowest = Float.POSITIVE_INFINITY;
        float highest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < cells.length; i++) {
            coarse[i] = Codebook.dot(codebook.centroid(cells[i]), 0, query);
            lowest = Math.min(lowest, coarse[i]);
            highest = Math.max(highest, coarse[i]);
        }
        float[] table = wholeSteps(codebook.table(rotated), coarse, highest, lowest);
        float[] sums = new float[begins[cells.length]];
        byte[] list = new byte[0];
        for (int i = 0; i < cells.length; i++) {
            int n = (begins[i + 1] - begins[i]) * subspaces;
            list = list.length < n ? new byte[n] : list;
            ByteBuffer here = codes.duplicate();
            here.position((int) (starts[cells[i]] * subspaces));
            here.get(list, 0, n);
            for (int at = 0, column = begins[i]; at < n; at += subspaces, column++) {
                float sum = coarse[i];
                for (int m = 0; m < subspaces; m++) {
                    sum += table[m << 8 | list[at + m] & 0xFF];
                }
                sums[column] = sum;
            }
        }
        return sums;
    }

    /** Rounds a query's similarities to its cells, in place, and its table to steps of its range of possible sums. */
    private float[] wholeSteps(float[] table, float[] coarse, float highest, float lowest) {
        float[] low = new float[manifest.subspaces];
        float span = 0;
        for (int m = 0; m < low.length; m++) {
            float high = Float.NEGATIVE_INFINITY;
            low[m] = Float.POSITIVE_INFINITY;
            for (int entry = m * Codebook.CENTROIDS; entry < (m + 1) * Codebook.CENTROIDS; entry++) {
                low[m] = Math.min(low[m], table[entry]);
                high = Math.max(high, table[entry]);
            }
            span += high - low[m];
        }
        float steps = SCAN_STEPS / Math.max(span + highest - lowest, 1e-6f);
        for (int entry = 0; entry < table.length; entry++) {
            table[entry] = (float) Math.rint((table[entry] - low[entry / Codebook.CENTROIDS]) * steps);
        }
        for (int i = 0; i < coarse.length; i++) {
            coarse[i] = (float) Math.rint((coarse[i] - lowest) * steps);
        }
        return table;
    }
}
