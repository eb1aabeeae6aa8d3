package org.nowplaying.core.loop;

import org.nowplaying.core.gate.GateSettings;

/** The phone's manners; what they mean stands in the Python package's {@code policy.py}. */
public final class LoopSettings {
    public double bufferS = 8;
    public double maxCaptureS = 4;
    public double onsetInWindowS = 2.23;
    public boolean skipsSameSong = true;
    public double sameSongLimitS = 600;
    public double musicGapS = 5;
    public boolean capturesAfresh;
    final GateSettings gate;

    public LoopSettings(GateSettings gate) {
        this.gate = gate;
    }

    /** Returns how long the phone rests after so many answers "unknown" in a row, in seconds. */
    double restS(int unknown) {
        double longestS = Math.max(gate.coolDownS, gate.longestRestS);
        int further = Math.min(Math.max(unknown - 1, 0), 60);
        return Math.min(gate.coolDownS * Math.pow(gate.backOffFactor, further), longestS);
    }
}
