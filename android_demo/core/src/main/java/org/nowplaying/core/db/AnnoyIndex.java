package org.nowplaying.core.db;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.PriorityQueue;
import org.nowplaying.core.artifact.ArtifactException;

/**
 * Reads the file of an Annoy index with the angular metric, and searches it as Annoy does.
 *
 * <p>The file has no header, only nodes of equal size: {@code int32 n_descendants; union { int32 children[2]; float norm;
 * }; float v[dim];}. Items come first, then inner nodes, children before parents, then the roots once more.
 */
public final class AnnoyIndex {
    private static final float MAX_MAGNITUDE = 4f;

    private final ByteBuffer nodes;
    private final int items;
    private final int dim;
    private final int nodeBytes;
    private final int[] roots;

    /**
     * Maps an index and checks every number that a search would follow.
     *
     * @throws ArtifactException when the file is no index of so many items of so many dimensions
     */
    public AnnoyIndex(Path path, int items, int dim) throws ArtifactException {
        this.items = items;
        this.dim = dim;
        nodeBytes = 4 * (3 + dim);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size % nodeBytes != 0 || size / nodeBytes <= items || size > Integer.MAX_VALUE) {
                throw ArtifactException.corrupt(
                        path, size + " bytes are not an Annoy index of " + items + " items of " + dim + " dimensions");
            }
            nodes = channel.map(FileChannel.MapMode.READ_ONLY, 0, size).order(ByteOrder.LITTLE_ENDIAN);
        } catch (ArtifactException error) {
            throw error;
        } catch (IOException error) {
            throw ArtifactException.corrupt(path, "cannot be read (" + error + ")");
        }
        int n = nodes.limit() / nodeBytes;
        boolean valid = descendants(n - 1) == items;
        for (int node = 0; valid && node < n; node++) {
            valid = isValid(node);
        }
        if (!valid) {
            throw ArtifactException.corrupt(path, "the Annoy index points outside itself, or miscounts");
        }
        roots = findRoots(n);
    }

    private boolean isValid(int node) {
        int count = descendants(node);
        if (node < items) {
            return count == 1 && isBounded(node);
        }
        if (count < 1) {
            return false;
        }
        if (count <= 2 + dim) {
            boolean inside = true;
            for (int i = 0; i < count; i++) {
                inside &= child(node, i) >= 0 && child(node, i) < items;
            }
            return inside;
        }
        // Children come before their parents, which rules out a loop, and share their items out: two nodes with a common child
        // would make a search's paths multiply.
        int left = child(node, 0);
        int right = child(node, 1);
        boolean before = left >= 0 && left < node && right >= 0 && right < node;
        return before && (long) descendants(left) + descendants(right) == count && isBounded(node);
    }

    private boolean isBounded(int node) {
        boolean bounded = true;
        for (int i = 0; i < dim; i++) {
            bounded &= Math.abs(value(node, i)) <= MAX_MAGNITUDE; // NaN fails as well
        }
        return bounded;
    }

    private int[] findRoots(int n) {
        int first = n - 1;
        while (first > 0 && descendants(first - 1) == items) {
            first--;
        }
        int[] found = new int[n - first];
        for (int i = 0; i < found.length; i++) {
            found[i] = n - 1 - i;
        }
        // The last root stands before the copy of all roots.
        boolean twice = found.length > 1 && child(n - 1, 0) == child(first, 0);
        return twice ? Arrays.copyOf(found, found.length - 1) : found;
    }

    /**
     * Returns the items at the smallest angles from a query, nearest first.
     *
     * @param n at most so many
     * @param searchK items to look at before the search ends
     */
    public int[] nearest(float[] query, int n, int searchK) {
        // Largest bound first, then the largest node, as Annoy's heap of pairs has it.
        PriorityQueue<Long> queue = new PriorityQueue<>((a, b) -> Long.compare(b, a));
        for (int root : roots) {
            queue.add(key(Float.POSITIVE_INFINITY, root));
        }
        int[] found = new int[searchK + 2 + dim];
        int count = 0;
        while (count < searchK && !queue.isEmpty()) {
            long top = queue.remove();
            int node = (int) top;
            int here = descendants(node);
            if (here == 1 && node < items) {
                found[count++] = node;
            } else if (here <= 2 + dim) {
                for (int i = 0; i < here; i++) {
                    found[count++] = child(node, i);
                }
            } else {
                float bound = bound(top);
                float margin = dot(node, query);
                queue.add(key(Math.min(bound, margin), child(node, 1)));
                queue.add(key(Math.min(bound, -margin), child(node, 0)));
            }
        }
        return sortedByAngle(query, Arrays.copyOf(found, count), n);
    }

    private int[] sortedByAngle(float[] query, int[] found, int n) {
        Arrays.sort(found);
        long[] keys = new long[found.length];
        int unique = 0;
        for (int i = 0; i < found.length; i++) {
            if (i == 0 || found[i] != found[i - 1]) {
                float length = (float) Math.sqrt(squaredLength(found[i]));
                float similarity = length > 0 ? dot(found[i], query) / length : 0;
                keys[unique++] = key(-similarity, found[i]);
            }
        }
        Arrays.sort(keys, 0, unique);
        int[] nearest = new int[Math.min(n, unique)];
        for (int i = 0; i < nearest.length; i++) {
            nearest[i] = (int) keys[i];
        }
        return nearest;
    }

    /** Orders pairs of a number and a node in one long. */
    private static long key(float number, int node) {
        int bits = Float.floatToIntBits(number + 0f);
        return (long) (bits ^ (bits >> 31 & 0x7fffffff)) << 32 | node;
    }

    private static float bound(long key) {
        int bits = (int) (key >> 32);
        return Float.intBitsToFloat(bits ^ (bits >> 31 & 0x7fffffff));
    }

    private float dot(int node, float[] query) {
        float sum = 0;
        for (int i = 0; i < dim; i++) {
            sum += value(node, i) * query[i];
        }
        return sum;
    }

    private float squaredLength(int node) {
        float sum = 0;
        for (int i = 0; i < dim; i++) {
            sum += value(node, i) * value(node, i);
        }
        return sum;
    }

    private int descendants(int node) {
        return nodes.getInt(node * nodeBytes);
    }

    private int child(int node, int number) {
        return nodes.getInt(node * nodeBytes + 4 * (1 + number));
    }

    private float value(int node, int number) {
        return nodes.getFloat(node * nodeBytes + 4 * (3 + number));
    }
}
