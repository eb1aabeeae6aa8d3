package org.nowplaying.core.audio;

import java.util.Arrays;

/** The last seconds of sound, one mu-law byte a sample, the oldest overwritten first. Not safe for several threads. */
public final class MulawRing {
    private static final float FULL_SCALE = 32_767f;

    private final byte[] codes;
    private int next;
    private int filled;

    /** Makes an empty ring of so many samples: 128,000 for eight seconds. */
    public MulawRing(int sizeSamples) {
        if (sizeSamples < 1) {
            throw new IllegalArgumentException("ring buffer: expected a size above 0, found " + sizeSamples);
        }
        codes = new byte[sizeSamples];
    }

    /** Appends 16-bit samples. */
    public void write(short[] samples, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            codes[next] = Mulaw.encode(samples[i]);
            next = next + 1 == codes.length ? 0 : next + 1;
        }
        filled = Math.min(codes.length, filled + length);
    }

    /** Returns how many samples are held. */
    public int size() {
        return filled;
    }

    /** Returns what is held, oldest first, as samples in [-1, 1]. */
    public float[] read() {
        return read(filled);
    }

    /** Returns the newest samples of what is held, no more than so many, oldest first, in [-1, 1]. */
    public float[] read(int newest) {
        float[] samples = new float[Math.min(filled, newest)];
        int from = (next - samples.length + codes.length) % codes.length;
        for (int i = 0; i < samples.length; i++) {
            samples[i] = Mulaw.decode(codes[(from + i) % codes.length]) / FULL_SCALE;
        }
        return samples;
    }

    /** Forgets everything, as after a pause. */
    public void clear() {
        Arrays.fill(codes, (byte) 0);
        next = filled = 0;
    }
}
