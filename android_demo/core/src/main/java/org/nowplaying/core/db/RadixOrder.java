package org.nowplaying.core.db;

import java.nio.ByteBuffer;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.NpyFile;

/**
 * Leads from fingerprints to their cells and codes, and back: the record of a radix sort by cell, one bit a pass (see
 * {@code radix.py} of the Python package).
 */
final class RadixOrder {
    /** Where the file leads outside itself; its hash was right, so somebody made it so. */
    static final class DamagedOrderException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        DamagedOrderException(String reason) {
            super("song database: " + reason + "; restore or rebuild it");
        }
    }

    private static final int BLOCK_WORDS = 8;
    private static final int BLOCK_BITS = 64 * BLOCK_WORDS;

    private final long n;
    private final int passes;
    private final int blocks;
    private final ByteBuffer bits;
    private final ByteBuffer counts;

    RadixOrder(DatabaseManifest manifest) throws ArtifactException {
        n = manifest.fingerprints;
        passes = Math.max(1, 32 - Integer.numberOfLeadingZeros(manifest.cells));
        blocks = (int) ((n + BLOCK_BITS - 1) / BLOCK_BITS);
        bits = NpyFile.map(manifest.file("order_bits"), "<u8", passes, (long) blocks * BLOCK_WORDS);
        counts = NpyFile.map(manifest.file("order_counts"), "<u4", passes, blocks + 1L);
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
            at = checked(select(pass, one ? at - zeros(pass) : at, one));
        }
        return at;
    }

    private long next(int pass, long at, boolean one) {
        long ones = onesBefore(pass, at);
        return checked(one ? zeros(pass) + ones : at - ones);
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

    private long checked(long at) {
        if (at < 0 || at >= n) {
            throw new DamagedOrderException("the counts of the radix sort lead outside the fingerprints");
        }
        return at;
    }
}
