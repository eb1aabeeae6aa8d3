/* Ported from TensorFlow, Copyright 2018 The TensorFlow Authors, Apache License 2.0 (see NOTICE); changed. */
package org.nowplaying.core.frontend;

/** Cuts a stream into windows of 30 ms every 10 ms and weights them, all in 16-bit integers. */
final class HannWindow {
    static final int SIZE = 480;
    private static final int BITS = 12;

    /** The weighted samples of the last complete window. */
    final short[] output = new short[SIZE];

    /** Largest magnitude in {@link #output}. */
    int maxAbs;

    private final short[] coefficients = new short[SIZE];
    private final short[] input = new short[SIZE];
    private int used;

    HannWindow() {
        float arg = (float) Math.PI * 2.0f / SIZE;
        for (int i = 0; i < SIZE; i++) {
            float value = 0.5f - 0.5f * (float) Math.cos(arg * (i + 0.5f));
            coefficients[i] = (short) Math.floor(value * (1 << BITS) + 0.5f);
        }
    }

    /**
     * Takes one hop of samples.
     *
     * @return whether they complete a window
     */
    boolean push(short[] samples, int offset) {
        System.arraycopy(samples, offset, input, used, MicroFrontend.HOP_SAMPLES);
        used += MicroFrontend.HOP_SAMPLES;
        if (used < SIZE) {
            return false;
        }
        short largest = 0;
        for (int i = 0; i < SIZE; i++) {
            short value = (short) (input[i] * coefficients[i] >> BITS);
            output[i] = value;
            // In 16 bits, as on the DSP: the magnitude of -32768 stays negative and never is the largest.
            short magnitude = value < 0 ? (short) -value : value;
            if (magnitude > largest) {
                largest = magnitude;
            }
        }
        maxAbs = largest;
        System.arraycopy(input, MicroFrontend.HOP_SAMPLES, input, 0, SIZE - MicroFrontend.HOP_SAMPLES);
        used -= MicroFrontend.HOP_SAMPLES;
        return true;
    }

    void reset() {
        used = 0;
    }
}
