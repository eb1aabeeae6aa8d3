/* Ported from TensorFlow, Copyright 2018 The TensorFlow Authors, Apache License 2.0 (see NOTICE); changed. */
package org.nowplaying.core.frontend;

/** Per-channel gain control: a gain that falls with a channel's noise, looked up with interpolation, and a soft knee. */
final class GainControl {
    private static final int SNR_BITS = 12;
    private static final int OUTPUT_BITS = 6;
    private static final int GAIN_BITS = 21;
    private static final int INPUT_BITS = 10 - MicroFrontend.CORRECTION_BITS;
    private static final int SNR_SHIFT = GAIN_BITS - MicroFrontend.CORRECTION_BITS - SNR_BITS;
    private static final float STRENGTH = 0.95f;
    private static final float OFFSET = 80.0f;
    private static final int INTERVALS = 32;

    // For each power of two: the gain there, and the coefficients of a parabola up to the next.
    private final short[][] parabolas = new short[INTERVALS + 1][];
    private final short[] first = {gain(0), gain(1)};

    GainControl() {
        for (int interval = 2; interval <= INTERVALS; interval++) {
            long x0 = 1L << interval - 1;
            long x2 = interval == INTERVALS ? x0 + (x0 - 1) : 2 * x0;
            short y0 = gain(x0);
            int diff1 = gain(x0 + (x0 >> 1)) - y0;
            int diff2 = gain(x2) - y0;
            int a1 = 4 * diff1 - diff2;
            parabolas[interval] = new short[] {y0, (short) a1, (short) (diff2 - a1)};
        }
    }

    private static short gain(long x) {
        float level = (float) x / (1 << INPUT_BITS) + OFFSET;
        float gain = (1 << GAIN_BITS) * (float) Math.pow(level, -STRENGTH);
        return gain > Short.MAX_VALUE ? Short.MAX_VALUE : (short) (gain + 0.5f);
    }

    void apply(long[] signal, long[] noise) {
        for (int i = 0; i < signal.length; i++) {
            long gain = gainAt(noise[i]) & 0xFFFFFFFFL;
            signal[i] = shrink((signal[i] * gain >>> SNR_SHIFT) & 0xFFFFFFFFL);
        }
    }

    private long gainAt(long x) {
        if (x < 2) {
            return first[(int) x];
        }
        int interval = 64 - Long.numberOfLeadingZeros(x);
        short[] parabola = parabolas[interval];
        int fraction = (int) (interval < 11 ? x << 11 - interval : x >>> interval - 11) & 0x3FF;
        int result = parabola[2] * fraction >> 5;
        result += parabola[1] << 5;
        result *= fraction;
        result = result + (1 << 14) >> 15;
        return (short) (result + parabola[0]);
    }

    private static long shrink(long x) {
        if (x < 2 << SNR_BITS) {
            return x * x >>> 2 + 2 * SNR_BITS - OUTPUT_BITS;
        }
        return (x >>> SNR_BITS - OUTPUT_BITS) - (1 << OUTPUT_BITS);
    }
}
