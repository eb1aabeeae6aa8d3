package org.nowplaying.core.listen;

import org.nowplaying.core.loop.State;

/**
 * Listens for a short while every so many seconds: a phone without a DSP pays for every second of microphone.
 *
 * <p>The detector needs 4.48 s for its first output and a few more for the gate, so a look takes fifteen seconds, and as
 * much longer as a capture needs.
 */
final class Rhythm {
    static final double LOOK_S = 15;

    private double beganS = Double.NaN;
    private boolean resting;

    /**
     * Returns whether the microphone may rest.
     *
     * @param nowS on any clock that does not go back
     * @param intervalS from the beginning of one look to that of the next; no longer than a look means always
     * @param state of the phone, and whether it hears music
     */
    boolean rests(double nowS, int intervalS, State state, boolean music) {
        if (intervalS <= LOOK_S) {
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
            resting = answered || nowS - beganS >= LOOK_S && !isBusy(state, music);
        }
        return resting;
    }

    /** Returns how long it rests from now on, in seconds. */
    double restS(double nowS, int intervalS) {
        return Math.max(0, beganS + intervalS - nowS);
    }

    private static boolean isBusy(State state, boolean music) {
        return state == State.CAPTURING || state == State.RECOGNIZING || state == State.LISTENING && music;
    }
}
