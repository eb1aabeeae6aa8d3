package org.nowplaying.core.db;

/** Settings of one query; the defaults are those of the Python package. */
public final class SearchOptions {
    /** Cells to scan for each query fingerprint; 0 for as many as hold {@link #minScan} codes or 0.5 % of all. */
    public int probe;

    public int minScan = 50_000;
    public int searchK = 2000;
    public int neighbors = 128;
    public int candidates = 96;
    public int best = 5;
}
