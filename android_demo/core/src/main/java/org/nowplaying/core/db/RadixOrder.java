package org.nowplaying.core.db;

import java.nio.ByteBuffer;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.NpyFile;

/**
 * Leads from fingerprints to their cells and codes, and back: the record of a radix sort by cell, one bit a pass (see
 * {@code radix.py} of the Python package).
 */
final class RadixOrder {
    private static final int BLOCK_WORDS = 8;
    private static final int BLOCK_BITS = 64 * BLOCK_WORDS;

    private final long n;
    private final int passes;
    private final int blocks;
    private final ByteBuffer bits;
    private final ByteBuffer counts;

    /**
     * Maps the record, and checks that every way through it ends in the list of a cell.
     *
     * @param lists where each cell's list begins among the codes, and their number
     * @throws ArtifactException when it does not fit these
     */
    RadixOrder(DatabaseManifest manifest, long[] lists) throws ArtifactException {
        n = manifest.fingerprints;
        passes = Math.max(1, 32 - Integer.numberOfLeadingZeros(manifest.cells));
        blocks = (int) ((n + BLOCK_BITS - 1) / BLOCK_BITS);
        bits = NpyFile.map(manifest.file("order_bits"), "<u8", passes, (long) blocks * BLOCK_WORDS);
        counts = NpyFile.map(manifest.file("order_counts"), "<u4", passes, blocks + 1L);
        for (int pass = 0; pass < passes; pass++) {
            if (!countsAreOfBits(pass)) {
                throw ArtifactException.corrupt(
                        manifest.file("order_counts"), "the counts of pass " + pass + " differ from its bits");
            }
        }
        if (!fits(lists)) {
            throw ArtifactException.corrupt(manifest.file("order_bits"), "the order does not lead into the cells' lists");
        }
    }

    private boolean countsAreOfBits(int pass) {
        long ones = 0;
        boolean agree = count(pass, 0) == 0;
        for (int block = 0; block < blocks; block++) {
            for (int word = 0; word < BLOCK_WORDS; word++) {
                ones += Long.bitCount(word(pass, (long) block * BLOCK_WORDS + word));
            }
            agree &= count(pass, block + 1) == ones;
        }
        return agree && onesBefore(pass, n - 1) + (bit(pass, n - 1) ? 1 : 0) == ones; // none beyond the fingerprints
    }

    /** Returns whether every cell has as many fingerprints as its list holds, and the rest are silent. */
    private boolean fits(long[] lists) {
        // Where, in the order before each pass, the fingerprints begin whose cells have the same lower bits.
        long[] begins = {0, n};
        for (int pass = 0; pass < passes; pass++) {
            int groups = begins.length - 1;
            long[] next = new long[2 * groups + 1];
            for (int group = 0; group < groups; group++) {
                long ones = onesUpTo(pass, begins[group + 1]) - onesUpTo(pass, begins[group]);
                next[1 + group] = begins[group + 1] - begins[group] - ones;
                next[1 + groups + group] = ones;
            }
            for (int group = 0; group < 2 * groups; group++) {
                next[group + 1] += next[group];
            }
            begins = next;
        }
        int cells = lists.length - 1;
        boolean fit = begins[cells + 1] == n;
        for (int cell = 0; cell <= cells; cell++) {
            fit &= begins[cell] == lists[cell];
        }
        return fit;
    }

    private long onesUpTo(int pass, long end) {
        return end == n ? count(pass, blocks) : onesBefore(pass, end);
    }

    /** Returns a fingerprint's cell; the number of cells for silence. */
    int cell(long fingerprint) {
        long at = fingerprint;
        int cell = 0;
        for (int pass = 0; pass < passes; pass++) {
            boolean one = bit(pass, at);
            cell |= one ? 1 << pass : 0;
            at = next(pass, at, one);
        }
        return cell;
    }

    /** Returns the position of a sounding fingerprint's code. */
    long position(long fingerprint) {
        long at = fingerprint;
        for (int pass = 0; pass < passes; pass++) {
            at = next(pass, at, bit(pass, at));
        }
        return at;
    }

    /** Returns the fingerprint whose code lies at a position in a cell. */
    long fingerprint(long position, int cell) {
        long at = position;
        for (int pass = passes - 1; pass >= 0; pass--) {
            boolean one = (cell >> pass & 1) == 1;
            at = select(pass, one ? at - zeros(pass) : at, one);
        }
        return at;
    }

    private long next(int pass, long at, boolean one) {
        long ones = onesBefore(pass, at);
        return one ? zeros(pass) + ones : at - ones;
    }

    private long zeros(int pass) {
        return n - count(pass, blocks);
    }

    private boolean bit(int pass, long at) {
        return (word(pass, at >> 6) >>> (at & 63) & 1) == 1;
    }

    private long onesBefore(int pass, long at) {
        long ones = count(pass, (int) (at / BLOCK_BITS));
        for (long word = at / BLOCK_BITS * BLOCK_WORDS; word < at >> 6; word++) {
            ones += Long.bitCount(word(pass, word));
        }
        return ones + Long.bitCount(word(pass, at >> 6) & (1L << (at & 63)) - 1);
    }

    /** Returns where the {@code rank}-th one, or zero, of a pass stands. */
    private long select(int pass, long rank, boolean one) {
        int low = 0;
        int high = blocks - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (before(pass, middle, one) <= rank) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        long rest = rank - before(pass, low, one);
        for (long number = (long) low * BLOCK_WORDS; number < (low + 1L) * BLOCK_WORDS; number++) {
            long word = one ? word(pass, number) : ~word(pass, number);
            int here = Long.bitCount(word);
            if (rest >= 0 && rest < here) {
                for (; rest > 0; rest--) {
                    word &= word - 1;
                }
                return number * 64 + Long.numberOfTrailingZeros(word);
            }
            rest -= here;
        }
        return -1;
    }

    private long before(int pass, int block, boolean one) {
        return one ? count(pass, block) : (long) block * BLOCK_BITS - count(pass, block);
    }

    private long word(int pass, long number) {
        return bits.getLong((int) (8 * ((long) pass * blocks * BLOCK_WORDS + number)));
    }

    private long count(int pass, int block) {
        return counts.getInt(4 * (pass * (blocks + 1) + block)) & 0xFFFFFFFFL;
    }
}
