package org.nowplaying.core.audio;

import java.util.Arrays;

/** Samples as the fingerprinter gets them: no constant offset, and a usual level where all is quiet. */
public final class Leveled {
    /** Level at or below which sound of a usual level is silent. */
    public static final double SILENCE_DBFS = -60;
    private static final int BLOCK_SAMPLES = 1_600;
    private static final int BLOCKS = 10; // in a second
    private static final int RANK = 3; // of the blocks of a second that is its level: a click reaches into two
    private static final double QUIET_DBFS = -40; // samples whose loudest second is below are brought up to LOUD_DBFS
    private static final double LOUD_DBFS = -20;
    private static final double FAINT_DBFS = -90;
    private static final double RANGE_DB = 20;
    private static final double LEAST_OFFSET = 1e-3; // of full scale

    public final float[] samples;

    /** Level at or below which these samples are silent. */
    public final double silenceDbfs;

    private Leveled(float[] samples, double silenceDbfs) {
        this.samples = samples;
        this.silenceDbfs = silenceDbfs;
    }

    /** Levels a buffer as {@code brought_up} of {@code ondevice_db/levels.py} does: 16 kHz mono in [-1, 1]. */
    public static Leveled of(float[] recorded) {
        float[] samples = withoutOffset(recorded);
        double loudest = loudestDbfs(samples);
        if (!(loudest > FAINT_DBFS && loudest < QUIET_DBFS)) {
            return new Leveled(samples, SILENCE_DBFS);
        }
        double gain = Math.pow(10, (LOUD_DBFS - loudest) / 20);
        float[] loud = new float[samples.length];
        for (int i = 0; i < loud.length; i++) {
            loud[i] = Math.max(-1, Math.min(1, samples[i] * (float) gain));
        }
        return new Leveled(loud, Math.max(loudest - RANGE_DB, FAINT_DBFS) + 20 * Math.log10(gain));
    }

    /** Returns the level of the loudest whole second, clicks left out; NaN where there is none. */
    private static double loudestDbfs(float[] samples) {
        double loudest = Double.NaN;
        for (int start = 0; start + BLOCKS * BLOCK_SAMPLES <= samples.length; start += BLOCKS * BLOCK_SAMPLES) {
            double[] variances = new double[BLOCKS];
            for (int block = 0; block < BLOCKS; block++) {
                variances[block] = variance(samples, start + block * BLOCK_SAMPLES);
            }
            Arrays.sort(variances);
            double level = 10 * Math.log10(variances[BLOCKS - RANK] + 1e-15);
            loudest = Double.isNaN(loudest) ? level : Math.max(loudest, level);
        }
        return loudest;
    }

    private static double variance(float[] samples, int start) {
        double mean = mean(samples, start);
        double variance = 0;
        for (int i = start; i < start + BLOCK_SAMPLES; i++) {
            variance += (samples[i] - mean) * (samples[i] - mean) / BLOCK_SAMPLES;
        }
        return variance;
    }

    private static double mean(float[] samples, int start) {
        double sum = 0;
        for (int i = start; i < start + BLOCK_SAMPLES; i++) {
            sum += samples[i];
        }
        return sum / BLOCK_SAMPLES;
    }

    private static float[] withoutOffset(float[] samples) {
        int blocks = samples.length / BLOCK_SAMPLES;
        double[] means = new double[blocks];
        for (int block = 0; block < blocks; block++) {
            means[block] = mean(samples, block * BLOCK_SAMPLES);
        }
        Arrays.sort(means);
        // The median of blocks: a click moves the mean by more than quiet music is loud.
        double offset = blocks == 0 ? 0 : (means[(blocks - 1) / 2] + means[blocks / 2]) / 2;
        if (Math.abs(offset) < LEAST_OFFSET) {
            return samples;
        }
        float[] centred = new float[samples.length];
        for (int i = 0; i < centred.length; i++) {
            centred[i] = samples[i] - (float) offset;
        }
        return centred;
    }
}
