/* Ported from TensorFlow, Copyright 2018 The TensorFlow Authors, Apache License 2.0 (see NOTICE); changed. */
package org.nowplaying.core.frontend;

/**
 * The detector's features: what a DSP's micro front end hands to the int8 network every 10 ms, bit for bit.
 *
 * <p>A port of TensorFlow Lite Micro's {@code microfrontend} with the settings of the Python package
 * {@code pymicro-features}, which the detector was trained with. It adapts over seconds: features belong to streams.
 */
public final class MicroFrontend {
    public static final int SAMPLE_RATE_HZ = 16_000;
    public static final int HOP_SAMPLES = 160;
    public static final int N_CHANNELS = 40;

    /** Raw value that maps to the top int8 step. */
    public static final int FULL_SCALE = 666;

    /** What 512 points of FFT add to the 12 bits of the filterbank's weights, once the root is taken. */
    static final int CORRECTION_BITS = 3;

    private final HannWindow window = new HannWindow();
    private final FixedFft fft = new FixedFft();
    private final MelFilterbank filterbank = new MelFilterbank();
    private final NoiseReduction noise = new NoiseReduction();
    private final GainControl gain = new GainControl();
    private final LogScale log = new LogScale();
    private final long[] channels = new long[N_CHANNELS];

    /**
     * Takes the next 10 ms of sound.
     *
     * @param samples 16 kHz mono, of which 160 are read
     * @param offset where these begin
     * @param raw filled with 40 values from 0 (silence) to about 670 (full scale) where they complete a frame
     * @return whether they do: not the first two times after a reset, then always
     */
    public boolean process(short[] samples, int offset, int[] raw) {
        if (!window.push(samples, offset)) {
            return false;
        }
        // As much resolution as 16 bits have; taken back behind the root.
        int shift = 15 - (32 - Integer.numberOfLeadingZeros(window.maxAbs));
        fft.transform(window.output, HannWindow.SIZE, shift);
        filterbank.apply(fft, shift, channels);
        noise.apply(channels);
        gain.apply(channels, noise.estimate);
        for (int i = 0; i < N_CHANNELS; i++) {
            raw[i] = log.apply(channels[i]);
        }
        return true;
    }

    /** Resets all state. */
    public void reset() {
        window.reset();
        noise.reset();
    }

    /** Returns the network's int8 input for a raw value. */
    public static byte quantize(int raw) {
        return (byte) Math.min((raw * 256 + FULL_SCALE / 2) / FULL_SCALE - 128, 127);
    }
}
