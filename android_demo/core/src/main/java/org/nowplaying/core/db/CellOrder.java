package org.nowplaying.core.db;

/** Leads from fingerprints to their cells and codes, and back. */
interface CellOrder {
    /** Returns a fingerprint's cell; the number of cells for silence. */
    int cell(long fingerprint);

    /** Returns the position of a sounding fingerprint's code. */
    long position(long fingerprint);

    /** Returns the fingerprint whose code lies at a position in a cell. */
    long fingerprint(long position, int cell);

    /** Where the file leads outside itself; its hash was right, so somebody made it so. */
    final class DamagedOrderException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        DamagedOrderException(String reason) {
            super("song database: " + reason + "; restore or rebuild it");
        }
    }
}
