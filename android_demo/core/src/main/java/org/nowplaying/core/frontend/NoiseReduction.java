/* Ported from TensorFlow, Copyright 2018 The TensorFlow Authors, Apache License 2.0 (see NOTICE); changed. */
package org.nowplaying.core.frontend;

import java.util.Arrays;

/** Subtracts from every channel a slow average of it, which follows steady noise (Wang et al., ICASSP 2017). */
final class NoiseReduction {
    private static final int BITS = 14;
    private static final int SMOOTHING_BITS = 10;
    private static final long UINT32 = 0xFFFFFFFFL;
    private static final int EVEN = (int) (0.025f * (1 << BITS));
    private static final int ODD = (int) (0.06f * (1 << BITS));
    private static final int LEAST_REMAINING = (int) (0.05f * (1 << BITS));

    /** The averages, as unsigned 32-bit values with 10 fractional bits. */
    final long[] estimate = new long[MicroFrontend.N_CHANNELS];

    void apply(long[] signal) {
        for (int i = 0; i < signal.length; i++) {
            int smoothing = (i & 1) == 0 ? EVEN : ODD;
            long scaled = signal[i] << SMOOTHING_BITS & UINT32;
            estimate[i] = (scaled * smoothing + estimate[i] * ((1 << BITS) - smoothing) >>> BITS) & UINT32;
            long least = signal[i] * LEAST_REMAINING >>> BITS;
            long left = scaled - Math.min(estimate[i], scaled) >>> SMOOTHING_BITS;
            signal[i] = Math.max(left, least);
        }
    }

    void reset() {
        Arrays.fill(estimate, 0);
    }
}
