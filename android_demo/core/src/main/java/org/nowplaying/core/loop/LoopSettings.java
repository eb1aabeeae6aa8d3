package org.nowplaying.core.loop;

import org.nowplaying.core.gate.GateSettings;

/** Settings of the loop; the Python package documents them in {@code simulator/phone/config.py}. */
public final class LoopSettings {
    public double bufferS = 8;
    public double maxCaptureS = 4;

    /** Ascending; empty: the only look is that at the end of the capture. */
    public double[] earlyLooksS = {3};

    public double onsetInWindowS = 2.23;
    public boolean skipsSameSong = true;
    public double sameSongLimitS = 600;
    public double musicGapS = 5;

    /** Infinity: a rest always lasts its time. */
    public double restEndsAfterGapS = 5;

    public boolean capturesAfresh;
    final GateSettings gate;

    public LoopSettings(GateSettings gate) {
        this.gate = gate;
    }

    /** Returns the rest after {@code unknown} unknown answers in a row, in seconds. */
    double restS(int unknown) {
        double longestS = Math.max(gate.coolDownS, gate.longestRestS);
        int doublings = Math.min(Math.max(unknown - 1, 0), 60);
        return Math.min(gate.coolDownS * Math.pow(gate.backOffFactor, doublings), longestS);
    }
}
