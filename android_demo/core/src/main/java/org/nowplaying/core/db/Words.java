package org.nowplaying.core.db;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.NpyFile;

/**
 * The words of residual codes as they are stored: whole numbers of one byte, and a step for each byte of a code. A step
 * has 16 significant bits and the largest number of its byte is 127 or -127, so that all products are exact.
 */
final class Words {
    private static final int LARGEST = 127;
    private static final long BEYOND_16_BITS = (1L << 37) - 1; // of a double's 53
    private static final float MAX_MAGNITUDE = 4f;

    private Words() {}

    /** Returns the words, 256 for each byte of a code, one after the other. */
    static float[] read(Path path, Path stepsPath, int codeBytes, int dim) throws ArtifactException {
        ByteBuffer numbers = NpyFile.map(path, "|i1", codeBytes, Codebook.CENTROIDS, dim);
        float[] steps = Codebook.floats(stepsPath, codeBytes);
        float[] words = new float[numbers.limit()];
        int size = Codebook.CENTROIDS * dim;
        for (int m = 0; m < codeBytes; m++) {
            int largest = 0;
            for (int at = m * size; at < (m + 1) * size; at++) {
                largest = Math.max(largest, Math.abs(numbers.get(at)));
                words[at] = numbers.get(at) * steps[m];
            }
            boolean few = steps[m] > 0 && (Double.doubleToLongBits(steps[m]) & BEYOND_16_BITS) == 0;
            boolean whole = largest == 0 ? steps[m] == 1 : largest == LARGEST && LARGEST * steps[m] <= MAX_MAGNITUDE;
            if (!few || !whole) {
                throw ArtifactException.corrupt(
                        stepsPath, "expected a step of 16 bits for each byte and 127 as its largest number");
            }
        }
        return words;
    }
}
