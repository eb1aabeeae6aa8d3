/*
 * Ported from fdlibm: Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Permission to use, copy, modify,
 * and distribute this software is freely granted, provided that this notice is preserved.
 */
package org.nowplaying.core.frontend;

/**
 * The single-precision logarithm of 1 + x of C libraries up to glibc 2.40 and of newlib, the last bit included.
 *
 * <p>Two of the filterbank's weights hang on that bit: with correct rounding they would be one of 4096 off those that
 * the detector was trained with.
 */
final class Log1pf {
    private static final float LN2_HI = 6.9313812256e-01f;
    private static final float LN2_LO = 9.0580006145e-06f;
    private static final float[] POLYNOMIAL = {
        1.4798198640e-01f, 1.5313838422e-01f, 1.8183572590e-01f, 2.2222198546e-01f, 2.8571429849e-01f,
        4.0000000596e-01f, 6.6666668653e-01f,
    };
    private static final float SQRT2_MINUS_1 = 0.41422f;

    private Log1pf() {}

    /** Returns ln(1 + x), for x from 2^-20 to 2^20. */
    static float of(float x) {
        float f = x;
        float c = 0;
        int k = 0;
        if (x >= SQRT2_MINUS_1) {
            float u = 1.0f + x;
            int bits = Float.floatToRawIntBits(u);
            k = (bits >> 23) - 127;
            c = (k > 0 ? 1.0f - (u - x) : x - (u - 1.0f)) / u;
            bits &= 0x007fffff;
            boolean upper = bits >= 0x3504f7;
            k += upper ? 1 : 0;
            f = Float.intBitsToFloat(bits | (upper ? 0x3f000000 : 0x3f800000)) - 1.0f;
        }
        float half = 0.5f * f * f;
        float s = f / (2.0f + f);
        float z = s * s;
        float r = 0;
        for (float coefficient : POLYNOMIAL) {
            r = coefficient + z * r;
        }
        r = z * r;
        if (k == 0) {
            return f - (half - s * (half + r));
        }
        return k * LN2_HI - (half - (s * (half + r) + (k * LN2_LO + c)) - f);
    }
}
