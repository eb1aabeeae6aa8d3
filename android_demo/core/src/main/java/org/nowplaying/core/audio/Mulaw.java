package org.nowplaying.core.audio;

/** Eight-bit mu-law companding (mu = 255) by tables: the segmented code of ITU-T Recommendation G.711 (1988). */
public final class Mulaw {
    private static final int BIAS = 132; // G.711's 33 in 14-bit units
    private static final int CLIP = 32_635;
    private static final short[] DECODED = new short[256];
    private static final byte[] ENCODED = new byte[65_536];

    static {
        for (int i = 0; i < DECODED.length; i++) {
            int code = ~i & 0xFF;
            int magnitude = (((code & 15) << 3) + BIAS << (code >> 4 & 7)) - BIAS;
            DECODED[i] = (short) ((code & 0x80) != 0 ? -magnitude : magnitude);
        }
        for (int i = 0; i < ENCODED.length; i++) {
            int pcm = (short) i;
            int magnitude = Math.min(Math.abs(pcm), CLIP) + BIAS;
            int segment = 24 - Integer.numberOfLeadingZeros(magnitude);
            int step = magnitude >> segment + 3 & 15;
            ENCODED[i] = (byte) ~((pcm < 0 ? 0x80 : 0) | segment << 4 | step);
        }
    }

    private Mulaw() {}

    public static byte encode(short pcm) {
        return ENCODED[pcm & 0xFFFF];
    }

    public static short decode(byte code) {
        return DECODED[code & 0xFF];
    }
}
