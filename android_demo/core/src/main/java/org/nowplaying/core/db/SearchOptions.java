package org.nowplaying.core.db;

/** Settings of one query; the defaults are those of the Python package. */
public final class SearchOptions {
    private static final double SHARE = 0.03;
    private static final int MOST_TIMES = 4;
    private static final double LEAST_SHARE = 0.005;

    /** Cells to scan for each query fingerprint; 0 for as many as hold the codes of {@link #toScan}. */
    public int probe;

    public int minScan = 50_000;
    public int searchK = 2000;
    public int neighbors = 128;
    public int candidates = 96;
    public int best = 5;

    /** Returns how many codes to scan in a database of so many fingerprints: all of a small one, more in a large one. */
    public double toScan(long fingerprints) {
        double inLarge = Math.min(SHARE * fingerprints, (double) MOST_TIMES * minScan);
        return Math.max(Math.max(minScan, inLarge), LEAST_SHARE * fingerprints);
    }
}
