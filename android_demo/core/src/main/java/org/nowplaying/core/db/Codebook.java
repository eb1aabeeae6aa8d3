package org.nowplaying.core.db;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.NpyFile;

/**
 * Coarse cells, a rotation, and words for the residual: {@code x ~ m[c] + R^T p}. A code's bytes name words that stand
 * side by side in p, each for a part of the dimensions, or whole vectors whose sum p is. With these goes a linear map by
 * which a reference is estimated from its own decoded vector and those of both neighbors in its song.
 */
final class Codebook {
    static final int CENTROIDS = 256;
    private static final float MAX_MAGNITUDE = 4f;
    private static final int MAX_COHORT = 1 << 16; // as many as cells
    private static final double LENGTH_POWER = 1.5;

    final int dim;
    final int subspaces;

    /** Unit vectors of other music for score normalization, one after the other. */
    final float[] cohort;

    private final ByteBuffer centroids;
    private final float[] rotation;
    private final float[] words;
    private final float[] smoothing; // rows for the vector before, its own, the one after, and a constant; or null
    private final int width; // of a word
    private final int step; // from the first dimension of one byte's words to that of the next one's

    Codebook(DatabaseManifest manifest) throws ArtifactException {
        dim = manifest.dim;
        subspaces = manifest.subspaces;
        centroids = NpyFile.map(manifest.file("centroids"), "<f4", manifest.cells, dim);
        check(manifest.file("centroids"), centroids);
        rotation = floats(manifest.file("rotation"), dim, dim);
        width = manifest.wholeVectors ? dim : dim / subspaces;
        step = manifest.wholeVectors ? 0 : width;
        words = manifest.wholeVectors
                ? Words.read(manifest.file("words"), manifest.file("word_steps"), subspaces, dim)
                : floats(manifest.file("pq_centroids"), subspaces, CENTROIDS, width);
        smoothing = manifest.wholeVectors ? floats(manifest.file("smoothing"), 3L * dim + 1, dim) : null;
        cohort = manifest.has("cohort") ? cohort(manifest.file("cohort")) : directions(manifest.cells);
    }

    private float[] cohort(Path path) throws ArtifactException {
        int rows = NpyFile.map(path, "<f4", -1, dim).limit() / (4 * dim);
        if (rows < 1 || rows > MAX_COHORT) {
            throw ArtifactException.corrupt(path, "expected 1 to " + MAX_COHORT + " vectors, found " + rows);
        }
        return floats(path, rows, dim);
    }

    /** Returns the cells' centroids at length 1. */
    private float[] directions(int cells) {
        float[] rows = new float[cells * dim];
        for (int cell = 0; cell < cells; cell++) {
            float[] row = centroid(cell);
            scale(row, 1 / Math.max(length(row), 1e-12));
            System.arraycopy(row, 0, rows, cell * dim, dim);
        }
        return rows;
    }

    static float[] floats(Path path, long... shape) throws ArtifactException {
        ByteBuffer mapped = NpyFile.map(path, "<f4", shape);
        check(path, mapped);
        float[] values = new float[mapped.remaining() / 4];
        mapped.asFloatBuffer().get(values);
        return values;
    }

    private static void check(Path path, ByteBuffer values) throws ArtifactException {
        for (int at = 0; at < values.limit(); at += 4) {
            if (!(Math.abs(values.getFloat(at)) <= MAX_MAGNITUDE)) {
                throw ArtifactException.corrupt(path, "expected numbers within +-4");
            }
        }
    }

    float[] centroid(int cell) {
        float[] row = new float[dim];
        for (int i = 0; i < dim; i++) {
            row[i] = centroids.getFloat(4 * (cell * dim + i));
        }
        return row;
    }

    /** Returns R x. */
    float[] rotate(float[] x) {
        float[] rotated = new float[dim];
        for (int row = 0; row < dim; row++) {
            rotated[row] = dot(rotation, row * dim, x);
        }
        return rotated;
    }

    /** Undoes the rotation, whose inverse is its transpose. */
    float[] unrotate(float[] rotated) {
        double[] sums = new double[dim];
        for (int row = 0; row < dim; row++) {
            for (int column = 0; column < dim; column++) {
                sums[column] += rotation[row * dim + column] * (double) rotated[row];
            }
        }
        float[] x = new float[dim];
        for (int column = 0; column < dim; column++) {
            x[column] = (float) sums[column];
        }
        return x;
    }

    /** Returns the inner products of a rotated query with every word of every byte, 256 for each. */
    float[] table(float[] rotated) {
        float[] table = new float[subspaces * CENTROIDS];
        for (int entry = 0; entry < table.length; entry++) {
            int first = entry / CENTROIDS * step;
            float sum = 0;
            for (int i = 0; i < width; i++) {
                sum += words[entry * width + i] * rotated[first + i];
            }
            table[entry] = sum;
        }
        return table;
    }

    /** Adds the residual of a code to a rotated centroid. */
    float[] decode(float[] rotatedCentroid, ByteBuffer codes, long position) {
        float[] vector = rotatedCentroid.clone();
        for (int m = 0; m < subspaces; m++) {
            int entry = m * CENTROIDS + (codes.get((int) (position * subspaces) + m) & 0xFF);
            for (int i = 0; i < width; i++) {
                vector[m * step + i] += words[entry * width + i];
            }
        }
        return vector;
    }

    /** Divides a vector by a power of its length, in place. */
    float[] normalize(float[] vector) {
        scale(vector, 1 / Math.pow(Math.max(length(vector), 1e-6), LENGTH_POWER));
        return vector;
    }

    boolean smooths() {
        return smoothing != null;
    }

    /** Returns what queries are compared with, from decoded vectors; a missing neighbor is null. */
    float[] reference(float[] before, float[] own, float[] after) {
        if (smoothing == null) {
            return normalize(own.clone());
        }
        float[] instead = before != null ? before : after != null ? after : own;
        float[][] parts = {instead, own, after != null ? after : instead};
        double[] sums = new double[dim];
        for (int row = 0; row <= 3 * dim; row++) {
            double factor = row < 3 * dim ? parts[row / dim][row % dim] : 1;
            for (int i = 0; i < dim; i++) {
                sums[i] += factor * smoothing[row * dim + i];
            }
        }
        float[] estimate = new float[dim];
        for (int i = 0; i < dim; i++) {
            estimate[i] = (float) sums[i];
        }
        return normalize(estimate);
    }

    static float dot(float[] rows, int start, float[] x) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += rows[start + i] * (double) x[i];
        }
        return (float) sum;
    }

    private static double length(float[] x) {
        return Math.sqrt(dot(x, 0, x));
    }

    private static void scale(float[] x, double factor) {
        for (int i = 0; i < x.length; i++) {
            x[i] *= (float) factor;
        }
    }
}
