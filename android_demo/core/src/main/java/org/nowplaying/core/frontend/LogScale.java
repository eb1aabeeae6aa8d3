/* Ported from TensorFlow, Copyright 2018 The TensorFlow Authors, Apache License 2.0 (see NOTICE); changed. */
package org.nowplaying.core.frontend;

/** The natural logarithm times 64, in integers: a base-2 logarithm whose fraction is looked up and interpolated. */
final class LogScale {
    private static final int SCALE_BITS = 16;
    private static final int SEGMENT_BITS = 7;
    private static final int COEFFICIENT = 45426; // ln 2
    private static final int OUTPUT_SHIFT = 6;
    private static final long ROUND = 1 << SCALE_BITS - 1;

    // How far log2(1 + x) lies above x.
    private final int[] above = new int[(1 << SEGMENT_BITS) + 2];

    LogScale() {
        int n = 1 << SEGMENT_BITS;
        for (int i = 0; i < n; i++) {
            double x = (double) i / n;
            above[i] = (int) Math.floor((Math.log1p(x) / Math.log(2) - x) * (1 << SCALE_BITS) + 0.5);
        }
    }

    int apply(long value) {
        long shifted = value << MicroFrontend.CORRECTION_BITS & 0xFFFFFFFFL;
        return shifted > 1 ? (int) Math.min(log(shifted), 0xFFFF) : 0;
    }

    private long log(long x) {
        int whole = 63 - Long.numberOfLeadingZeros(x);
        int fraction = (int) (x - (1L << whole));
        fraction = whole < SCALE_BITS ? fraction << SCALE_BITS - whole : fraction >> whole - SCALE_BITS;
        int segment = fraction >> SCALE_BITS - SEGMENT_BITS;
        int slope = above[segment + 1] - above[segment];
        int inside = fraction - (segment << SCALE_BITS - SEGMENT_BITS);
        long log2 = ((long) whole << SCALE_BITS) + fraction + above[segment] + (slope * inside >> SCALE_BITS);
        long natural = COEFFICIENT * log2 + ROUND >> SCALE_BITS;
        return (natural << OUTPUT_SHIFT) + ROUND >> SCALE_BITS;
    }
}
