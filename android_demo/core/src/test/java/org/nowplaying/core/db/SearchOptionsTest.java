package org.nowplaying.core.db;

import static org.junit.Assert.assertEquals;

import org.junit.Test;

/** The numbers of tests/ondevice_db/index/test_search.py: both search equally deep. */
public final class SearchOptionsTest {
    @Test
    public void moreIsScannedInALargeDatabase() {
        long[] sizes = {0, 1_000, 1_000_000, 4_000_000, 6_300_000, 30_000_000, 60_000_000};
        double[] scanned = {50_000, 50_000, 50_000, 120_000, 189_000, 200_000, 300_000};
        SearchOptions options = new SearchOptions();
        for (int i = 0; i < sizes.length; i++) {
            assertEquals(scanned[i], options.toScan(sizes[i]), 1e-6);
        }
        options.minScan = 10;
        assertEquals(30, options.toScan(1_000), 1e-9);
    }
}
