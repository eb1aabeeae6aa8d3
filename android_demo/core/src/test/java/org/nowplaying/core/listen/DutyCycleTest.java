package org.nowplaying.core.listen;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import org.junit.Test;
import org.nowplaying.core.loop.State;

public class DutyCycleTest {
    private final DutyCycle dutyCycle = new DutyCycle();

    private boolean rests(double nowS, State state, boolean music) {
        return dutyCycle.rests(nowS, 60, state, music);
    }

    @Test
    public void aPeriodTakesFifteenSecondsOfEachMinute() {
        int listening = 0;
        for (int tenth = 0; tenth < 36_000; tenth++) {
            listening += rests(tenth / 10.0, State.LISTENING, false) ? 0 : 1;
        }
        assertEquals(60 * 150, listening);
    }

    @Test
    public void musicProlongsAPeriodAndAnAnswerEndsIt() {
        assertFalse(rests(0, State.OFF, false));
        assertFalse(rests(14, State.LISTENING, true));
        assertFalse(rests(20, State.CAPTURING, true));
        assertFalse(rests(70, State.RECOGNIZING, true));
        assertTrue(rests(71, State.COOLING_DOWN, true));
        assertTrue("and a whole interval follows it", rests(130, State.PAUSED, false));
        assertFalse(rests(131, State.PAUSED, false));
    }

    @Test
    public void anIntervalOfZeroListensAlways() {
        for (int s = 0; s < 1000; s++) {
            assertFalse(dutyCycle.rests(s, 0, State.LISTENING, false));
        }
    }

    @Test
    public void quietHoursRunOverMidnight() {
        Preferences night = new Preferences(0, 22 * 60, 7 * 60, 20);
        assertTrue(night.isQuiet(23 * 60));
        assertTrue(night.isQuiet(0));
        assertFalse(night.isQuiet(7 * 60));
        assertFalse(night.isQuiet(12 * 60));
        assertFalse(new Preferences(0, 60, 60, 0).isQuiet(60));
        assertThrows(IllegalArgumentException.class, () -> new Preferences(-1, 0, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new Preferences(0, 24 * 60, 0, 0));
    }
}
