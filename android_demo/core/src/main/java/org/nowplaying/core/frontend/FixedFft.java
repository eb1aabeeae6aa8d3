/* Ported from KISS FFT, Copyright 2003-2010 Mark Borgerding, BSD 3-Clause License (see NOTICE); changed. */
package org.nowplaying.core.frontend;

/**
 * A 512-point FFT of real 16-bit samples with 16-bit results, scaled by 1/512.
 *
 * <p>Two neighbouring samples are taken for one complex number, so that four passes of radix 4 over 256 points do. Every
 * sum wraps at 16 bits where the C original's does.
 */
final class FixedFft {
    static final int SIZE = 512;
    private static final int HALF = SIZE / 2;
    private static final int MAX = 32767;

    /** Spectrum, bins 0 to 256. */
    final short[] re = new short[HALF + 1];

    final short[] im = new short[HALF + 1];

    private final short[] twiddleRe = new short[HALF];
    private final short[] twiddleIm = new short[HALF];
    private final short[] superRe = new short[HALF / 2];
    private final short[] superIm = new short[HALF / 2];
    private final short[] workRe = new short[HALF];
    private final short[] workIm = new short[HALF];

    FixedFft() {
        for (int i = 0; i < HALF; i++) {
            double phase = -2 * Math.PI * i / HALF;
            twiddleRe[i] = (short) Math.floor(.5 + MAX * Math.cos(phase));
            twiddleIm[i] = (short) Math.floor(.5 + MAX * Math.sin(phase));
        }
        for (int i = 0; i < HALF / 2; i++) {
            double phase = -Math.PI * ((double) (i + 1) / HALF + .5);
            superRe[i] = (short) Math.floor(.5 + MAX * Math.cos(phase));
            superIm[i] = (short) Math.floor(.5 + MAX * Math.sin(phase));
        }
    }

    /** Transforms {@code n} samples, each shifted left first; what is missing to 512 counts as zero. */
    void transform(short[] samples, int n, int shift) {
        for (int i = 0; i < HALF; i++) {
            // The first pass of four butterflies reads its input in the order of reversed base-4 digits.
            int from = 2 * reverse(i);
            workRe[i] = from < n ? (short) (samples[from] << shift) : 0;
            workIm[i] = from + 1 < n ? (short) (samples[from + 1] << shift) : 0;
        }
        for (int m = 1; m < HALF; m *= 4) {
            int stride = HALF / (4 * m);
            for (int start = 0; start < HALF; start += 4 * m) {
                for (int k = 0; k < m; k++) {
                    butterfly(start + k, m, k * stride);
                }
            }
        }
        split();
    }

    private static int reverse(int i) {
        return (i & 3) << 6 | (i >> 2 & 3) << 4 | (i >> 4 & 3) << 2 | i >> 6;
    }

    private void butterfly(int at, int m, int step) {
        int a = at + m;
        int b = at + 2 * m;
        int c = at + 3 * m;
        short r0 = quarter(workRe[at]);
        short i0 = quarter(workIm[at]);
        short ar = quarter(workRe[a]);
        short ai = quarter(workIm[a]);
        short br = quarter(workRe[b]);
        short bi = quarter(workIm[b]);
        short cr = quarter(workRe[c]);
        short ci = quarter(workIm[c]);
        short s0r = productRe(ar, ai, twiddleRe[step], twiddleIm[step]);
        short s0i = productIm(ar, ai, twiddleRe[step], twiddleIm[step]);
        short s1r = productRe(br, bi, twiddleRe[2 * step], twiddleIm[2 * step]);
        short s1i = productIm(br, bi, twiddleRe[2 * step], twiddleIm[2 * step]);
        short s2r = productRe(cr, ci, twiddleRe[3 * step], twiddleIm[3 * step]);
        short s2i = productIm(cr, ci, twiddleRe[3 * step], twiddleIm[3 * step]);
        short s5r = (short) (r0 - s1r);
        short s5i = (short) (i0 - s1i);
        r0 += s1r;
        i0 += s1i;
        short s3r = (short) (s0r + s2r);
        short s3i = (short) (s0i + s2i);
        short s4r = (short) (s0r - s2r);
        short s4i = (short) (s0i - s2i);
        workRe[b] = (short) (r0 - s3r);
        workIm[b] = (short) (i0 - s3i);
        workRe[at] = (short) (r0 + s3r);
        workIm[at] = (short) (i0 + s3i);
        workRe[a] = (short) (s5r + s4i);
        workIm[a] = (short) (s5i - s4r);
        workRe[c] = (short) (s5r - s4i);
        workIm[c] = (short) (s5i + s4r);
    }

    /** Makes the spectrum of 512 real numbers from that of 256 complex ones. */
    private void split() {
        short dcRe = half(workRe[0]);
        short dcIm = half(workIm[0]);
        re[0] = (short) (dcRe + dcIm);
        re[HALF] = (short) (dcRe - dcIm);
        im[0] = im[HALF] = 0;
        for (int k = 1; k <= HALF / 2; k++) {
            short pr = half(workRe[k]);
            short pi = half(workIm[k]);
            short nr = half(workRe[HALF - k]);
            short ni = half((short) -workIm[HALF - k]);
            short f1r = (short) (pr + nr);
            short f1i = (short) (pi + ni);
            short f2r = (short) (pr - nr);
            short f2i = (short) (pi - ni);
            short tr = productRe(f2r, f2i, superRe[k - 1], superIm[k - 1]);
            short ti = productIm(f2r, f2i, superRe[k - 1], superIm[k - 1]);
            re[k] = (short) (f1r + tr >> 1);
            im[k] = (short) (f1i + ti >> 1);
            re[HALF - k] = (short) (f1r - tr >> 1);
            im[HALF - k] = (short) (ti - f1i >> 1);
        }
    }

    private static short round(int product) {
        return (short) (product + (1 << 14) >> 15);
    }

    private static short quarter(short x) {
        return round(x * (MAX / 4));
    }

    private static short half(short x) {
        return round(x * (MAX / 2));
    }

    private static short productRe(short ar, short ai, short br, short bi) {
        return round(ar * br - ai * bi);
    }

    private static short productIm(short ar, short ai, short br, short bi) {
        return round(ar * bi + ai * br);
    }
}
