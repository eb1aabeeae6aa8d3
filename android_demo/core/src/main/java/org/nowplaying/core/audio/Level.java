package org.nowplaying.core.audio;

/** Level of sound. */
public final class Level {
    /** What digital silence reads as, in dBFS. */
    public static final double SILENCE_DBFS = -96;

    private Level() {}

    /** Returns the root mean square of 16-bit samples in dBFS: 0 for a square wave of full scale. */
    public static double dbfs(short[] samples, int length) {
        double power = 0;
        for (int i = 0; i < length; i++) {
            double value = samples[i] / 32768.0;
            power += value * value;
        }
        return length == 0 || power == 0 ? SILENCE_DBFS : Math.max(SILENCE_DBFS, 10 * Math.log10(power / length));
    }
}
