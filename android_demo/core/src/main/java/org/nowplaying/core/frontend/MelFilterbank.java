/* Ported from TensorFlow, Copyright 2018 The TensorFlow Authors, Apache License 2.0 (see NOTICE); changed. */
package org.nowplaying.core.frontend;

/** Sums the energies of 40 overlapping triangles on the mel scale from 125 to 7500 Hz, and takes their square roots. */
final class MelFilterbank {
    private static final int BITS = 12;
    private static final float LOWER_HZ = 125.0f;
    private static final float UPPER_HZ = 7500.0f;
    private static final float HZ_PER_BIN = 0.5f * MicroFrontend.SAMPLE_RATE_HZ / (FixedFft.SIZE / 2);

    // Bins starts[c] .. starts[c + 1] - 1 rise in channel c and fall in channel c - 1.
    private final int[] starts = new int[MicroFrontend.N_CHANNELS + 2];
    private final short[] weights = new short[FixedFft.SIZE / 2 + 1];
    private final short[] unweights = new short[FixedFft.SIZE / 2 + 1];

    MelFilterbank() {
        int n = MicroFrontend.N_CHANNELS + 1;
        float low = mel(LOWER_HZ);
        float spacing = (mel(UPPER_HZ) - low) / n;
        int bin = (int) (1.5f + LOWER_HZ / HZ_PER_BIN);
        float before = low;
        for (int channel = 0; channel < n; channel++) {
            float centre = low + spacing * (channel + 1);
            starts[channel] = bin;
            for (; mel(bin * HZ_PER_BIN) <= centre; bin++) {
                float weight = (centre - mel(bin * HZ_PER_BIN)) / (centre - before);
                weights[bin] = (short) Math.floor(weight * (1 << BITS) + 0.5f);
                unweights[bin] = (short) Math.floor((1.0f - weight) * (1 << BITS) + 0.5f);
            }
            before = centre;
        }
        starts[n] = bin;
    }

    private static float mel(float hz) {
        return 1127.0f * Log1pf.of(hz / 700.0f);
    }

    /**
     * Returns the channels of a spectrum.
     *
     * @param shift by how much the FFT's input had been shifted left
     * @param channels filled with unsigned 32-bit values
     */
    void apply(FixedFft fft, int shift, long[] channels) {
        long weighted = 0;
        for (int channel = 0; channel <= channels.length; channel++) {
            long unweighted = 0;
            for (int bin = starts[channel]; bin < starts[channel + 1]; bin++) {
                long energy = fft.re[bin] * fft.re[bin] + fft.im[bin] * fft.im[bin];
                weighted += weights[bin] * energy;
                unweighted += unweights[bin] * energy;
            }
            if (channel > 0) {
                channels[channel - 1] = sqrt(weighted) >> shift;
            }
            weighted = unweighted;
        }
    }

    /** The original's rounded integer square root: below 2^32 it never returns more than 65535. */
    private static long sqrt(long number) {
        if (number == 0) {
            return 0;
        }
        long largest = number >>> 32 == 0 ? 0xFFFFL : 0xFFFFFFFFL;
        long rest = number;
        long root = 0;
        for (long bit = 1L << (63 - Long.numberOfLeadingZeros(number) & ~1); bit != 0; bit >>>= 2) {
            if (Long.compareUnsigned(rest, root + bit) >= 0) {
                rest -= root + bit;
                root = (root >>> 1) + bit;
            } else {
                root >>>= 1;
            }
        }
        return rest > root && root != largest ? root + 1 : root;
    }
}
