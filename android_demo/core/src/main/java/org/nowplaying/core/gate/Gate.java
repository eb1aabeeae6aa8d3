package org.nowplaying.core.gate;

import java.util.Arrays;

/**
 * Decides, one output of the detector after another, whether music is playing.
 *
 * <p>Sums of whole 256ths over a long window, with consecutive hits, and over a short one that opens at once. When to rest is the loop's policy.
 */
public final class Gate {
    /** The int8 network outputs probabilities in steps of one over this number. */
    public static final int STEPS = 256;

    private final GateSettings settings;
    private final int[] recent;
    private int next;
    private int sum;
    private int earlySum;
    private int hits;
    private boolean music;

    public Gate(GateSettings settings) {
        this.settings = settings;
        recent = new int[settings.window];
    }

    /** Forgets everything; a window that is not full yet is filled up with zeros. */
    public void reset() {
        Arrays.fill(recent, 0);
        next = sum = earlySum = hits = 0;
        music = false;
    }

    /**
     * Adds one output of the detector.
     *
     * @param probability in 256ths, from 0 to 256
     * @return whether music is playing
     */
    public boolean step(int probability) {
        sum += probability - recent[next];
        earlySum += probability - recent[(next + recent.length - settings.earlyLength) % recent.length];
        recent[next] = probability;
        next = (next + 1) % recent.length;
        hits = sum >= settings.enterSum ? hits + 1 : 0;
        music = music
                ? sum >= settings.leaveSum || earlySum >= settings.earlyLeaveSum
                : hits >= settings.consecutiveHits || earlySum >= settings.earlyEnterSum;
        return music;
    }

    /** Returns whether music is playing. */
    public boolean isMusic() {
        return music;
    }

    /** Returns the sum of the long window's outputs, in 256ths. */
    public int sum() {
        return sum;
    }
}
