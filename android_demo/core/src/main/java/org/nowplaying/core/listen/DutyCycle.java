package org.nowplaying.core.listen;

import org.nowplaying.core.loop.State;

/**
 * Opens the microphone for a short period at intervals: a phone without a DSP pays for every second of it.
 *
 * <p>The detector needs 4.48 s for its first output and the gate a few more, so a period takes fifteen seconds, or
 * longer if a capture is under way.
 */
final class DutyCycle {
    static final double ON_S = 15;

    private double beganS = Double.NaN;
    private boolean resting;

    /**
     * Returns whether the microphone may rest.
     *
     * @param nowS on a monotonic clock
     * @param intervalS from the start of one period to the start of the next; at most fifteen for always on
     * @param state of the phone
     */
    boolean rests(double nowS, int intervalS, State state, boolean music) {
        if (intervalS <= ON_S) {
            beganS = Double.NaN;
            resting = false;
            return false;
        }
        if (Double.isNaN(beganS) || nowS - beganS >= intervalS && (resting || !isBusy(state, music))) {
            beganS = nowS;
            resting = false;
        }
        if (!resting) {
            boolean answered = state == State.COOLING_DOWN;
            resting = answered || nowS - beganS >= ON_S && !isBusy(state, music);
        }
        return resting;
    }

    /** Returns the time until the next period, in seconds. */
    double restS(double nowS, int intervalS) {
        return Math.max(0, beganS + intervalS - nowS);
    }

    private static boolean isBusy(State state, boolean music) {
        return state == State.CAPTURING || state == State.RECOGNIZING || state == State.LISTENING && music;
    }
}
