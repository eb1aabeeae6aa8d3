package org.nowplaying.core.db;

/** The nearest fingerprints of every query fingerprint, nearest first. */
public final class Neighbors {
    /** Fingerprint numbers by query; -1 where there are fewer. */
    public final long[][] fingerprints;

    /** Inner products; minus infinity where there is no fingerprint. */
    public final float[][] similarities;

    /** Fingerprints compared with each query. */
    public final int scanned;

    Neighbors(long[][] fingerprints, float[][] similarities, int scanned) {
        this.fingerprints = fingerprints;
        this.similarities = similarities;
        this.scanned = scanned;
    }
}
