package org.nowplaying.core.db;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.NpyFile;

/** Schema 1: Elias-Fano lists of fingerprints for the cells, and bit-packed cells for the fingerprints. */
final class ListOrder implements CellOrder {
    private static final int LOW_BITS = 16;
    private static final int KEPT_LISTS = 256;

    private final long[] starts;
    private final long n;
    private final int width;
    private final int blocks;
    private final ByteBuffer low;
    private final ByteBuffer high;
    private final ByteBuffer cells;
    private final Map<Integer, long[]> decoded = new LinkedHashMap<Integer, long[]>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, long[]> eldest) {
            return size() > KEPT_LISTS;
        }
    };

    ListOrder(DatabaseManifest manifest, long[] starts) throws ArtifactException {
        this.starts = starts;
        n = manifest.fingerprints;
        width = Math.max(1, 32 - Integer.numberOfLeadingZeros(manifest.cells));
        blocks = (int) (n + (1 << LOW_BITS) - 1 >> LOW_BITS);
        low = NpyFile.map(manifest.file("list_low"), "<u2", manifest.codes);
        high = NpyFile.map(manifest.file("list_high"), "|u1", (manifest.codes + (long) manifest.cells * blocks + 7) / 8);
        cells = NpyFile.map(manifest.file("song_cells"), "|u1", (n * width + 7) / 8 + 2);
    }

    @Override
    public int cell(long fingerprint) {
        long bit = fingerprint * width;
        int at = (int) (bit >> 3);
        int word = cells.get(at) & 0xFF | (cells.get(at + 1) & 0xFF) << 8 | (cells.get(at + 2) & 0xFF) << 16;
        return word >> (bit & 7) & (1 << width) - 1;
    }

    @Override
    public long position(long fingerprint) {
        int cell = cell(fingerprint);
        int place = cell < starts.length - 1 ? Arrays.binarySearch(list(cell), fingerprint) : -1;
        if (place < 0) {
            throw new DamagedOrderException("a fingerprint is missing from the list of its cell");
        }
        return starts[cell] + place;
    }

    @Override
    public long fingerprint(long position, int cell) {
        return list(cell)[(int) (position - starts[cell])];
    }

    private synchronized long[] list(int cell) {
        return decoded.computeIfAbsent(cell, this::decode);
    }

    private long[] decode(int cell) {
        long[] ids = new long[(int) (starts[cell + 1] - starts[cell])];
        long first = starts[cell] + (long) cell * blocks;
        int found = 0;
        for (long bit = first; bit < first + ids.length + blocks; bit++) {
            if ((high.get((int) (bit >> 3)) >> (bit & 7) & 1) == 1) {
                if (found == ids.length) {
                    throw new DamagedOrderException("a list holds too many entries");
                }
                // The zeros before an entry are its block.
                long block = bit - first - found;
                ids[found] = block << LOW_BITS | low.getShort(2 * (int) (starts[cell] + found)) & 0xFFFF;
                found++;
            }
        }
        if (found < ids.length || found > 0 && ids[found - 1] >= n) {
            throw new DamagedOrderException("a list names a fingerprint that does not exist, or too few");
        }
        return ids;
    }
}
