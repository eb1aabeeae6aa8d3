package org.nowplaying.core.audio;

import static org.junit.Assert.assertEquals;

import java.util.Arrays;
import org.junit.Test;

public class LevelTest {
    @Test
    public void fullScaleIsZeroAndHalfOfItSixDecibelsLess() {
        short[] square = new short[160];
        Arrays.fill(square, Short.MIN_VALUE);
        assertEquals(0, Level.dbfs(square, 160), 1e-9);
        Arrays.fill(square, (short) 16384);
        assertEquals(-6.0206, Level.dbfs(square, 160), 1e-4);
        assertEquals(Level.SILENCE_DBFS, Level.dbfs(new short[160], 160), 0);
        assertEquals(Level.SILENCE_DBFS, Level.dbfs(square, 0), 0);
    }
}
