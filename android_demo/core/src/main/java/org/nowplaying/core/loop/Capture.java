package org.nowplaying.core.loop;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.TreeSet;

/** The times of one capture: when it ends, and when the phone looks before (see {@code simulator/phone/capture.py}). */
final class Capture {
    private static final double LEAST_APART_S = 1; // an early look that the last one would follow sooner is left out

    /** When the music began that the buffer is to hold, in seconds. */
    final double beganS;

    /** When the buffer is full of it, or as full as the phone waits for, in seconds. */
    final double untilS;

    private final Deque<Double> earlyLooksS = new ArrayDeque<>();

    /**
     * Plans a capture that begins now.
     *
     * @param musicSinceS when the first window of this run of music was complete
     * @param afresh whether the buffer is to hold what sounds from now on, and nothing before
     */
    Capture(LoopSettings settings, double nowS, double musicSinceS, boolean afresh) {
        beganS = afresh ? nowS : musicSinceS - settings.onsetInWindowS;
        double longestS = afresh ? settings.bufferS : settings.maxCaptureS;
        untilS = wholeSteps(Math.min(Math.max(beganS + settings.bufferS, nowS), nowS + longestS));
        TreeSet<Double> timesS = new TreeSet<>(); // times that are over already make one look at once
        for (double seconds : settings.earlyLooksS) {
            timesS.add(Math.max(nowS, wholeSteps(beganS + seconds)));
        }
        for (double timeS : timesS) {
            if (untilS - timeS >= LEAST_APART_S) {
                earlyLooksS.add(timeS);
            }
        }
    }

    /** Returns the time of the next early look, those left out that are over; infinity where there is none. */
    double nextEarlyLookS(double nowS) {
        while (!earlyLooksS.isEmpty() && earlyLooksS.peek() < nowS) {
            earlyLooksS.poll(); // the look before took so long
        }
        return earlyLooksS.isEmpty() ? Double.POSITIVE_INFINITY : earlyLooksS.poll();
    }

    /** Returns the end of the 10 ms step in which a time lies: the buffer grows in whole steps. */
    private static double wholeSteps(double timeS) {
        return Math.ceil(100 * timeS - 1e-6) / 100;
    }
}
