package org.nowplaying.core.db;

/** The positions of the largest values of a row. */
final class TopK {
    private TopK() {}

    /** Returns the positions of the {@code n} largest values, largest first, the earlier of equal ones first. */
    static int[] of(float[] values, int n) {
        int kept = Math.min(n, values.length);
        long[] heap = new long[kept]; // the smallest kept on top
        int size = 0;
        for (int position = 0; position < values.length; position++) {
            long key = key(values[position], position);
            if (size < kept) {
                up(heap, size++, key);
            } else if (kept > 0 && key > heap[0]) {
                down(heap, kept, key);
            }
        }
        java.util.Arrays.sort(heap);
        int[] positions = new int[kept];
        for (int i = 0; i < kept; i++) {
            positions[i] = ~(int) heap[kept - 1 - i];
        }
        return positions;
    }

    private static long key(float value, int position) {
        int bits = Float.floatToIntBits(value + 0f);
        return (long) (bits ^ (bits >> 31 & 0x7fffffff)) << 32 | ~position & 0xFFFFFFFFL;
    }

    private static void up(long[] heap, int at, long key) {
        int here = at;
        for (; here > 0 && heap[(here - 1) / 2] > key; here = (here - 1) / 2) {
            heap[here] = heap[(here - 1) / 2];
        }
        heap[here] = key;
    }

    private static void down(long[] heap, int size, long key) {
        int here = 0;
        for (int child = 1; child < size; child = 2 * here + 1) {
            child += child + 1 < size && heap[child + 1] < heap[child] ? 1 : 0;
            if (heap[child] >= key) {
                break;
            }
            heap[here] = heap[child];
            here = child;
        }
        heap[here] = key;
    }
}
