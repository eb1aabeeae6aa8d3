package org.nowplaying.core.tflite;

/**
 * The factors from sums of int8 products to steps of the output, one for each channel, in fixed point as TensorFlow Lite's
 * reference kernels have them: a 31-bit multiplier and a shift.
 */
final class Scaling {
    private static final int MULTIPLIER_BITS = 31;

    private final int[] multipliers;
    private final int[] shifts;

    /**
     * Scales the sums of a layer with weights.
     *
     * @param weights with one quantization step, or one for each channel
     */
    static Scaling ofLayer(Operator operator, Tensor input, Tensor weights, Tensor output, int channels) {
        operator.require(weights.scales.length == 1 || weights.scales.length == channels, "a step for each output channel");
        operator.require(weights.zeroPoint == 0, "weights around zero");
        double[] factors = new double[channels];
        for (int channel = 0; channel < channels; channel++) {
            float step = weights.scales[weights.scales.length == 1 ? 0 : channel];
            factors[channel] = (double) input.scale() * step / output.scale();
        }
        return new Scaling(operator, factors);
    }

    /** Scales by the given factors. */
    Scaling(Operator operator, double... factors) {
        multipliers = new int[factors.length];
        shifts = new int[factors.length];
        for (int i = 0; i < factors.length; i++) {
            operator.require(factors[i] > 0 && factors[i] < 1 << 20, "quantization steps that go together");
            shifts[i] = Math.getExponent(factors[i]) + 1;
            long multiplier = Math.round(Math.scalb(factors[i], MULTIPLIER_BITS - shifts[i]));
            if (multiplier == 1L << MULTIPLIER_BITS) {
                multiplier >>= 1;
                shifts[i]++;
            }
            multipliers[i] = shifts[i] < -MULTIPLIER_BITS ? 0 : (int) multiplier;
            shifts[i] = Math.max(shifts[i], -MULTIPLIER_BITS);
        }
    }

    /** Returns a sum in steps, rounded twice: to 31 bits below the point, then to a whole number, halves away from zero. */
    int twice(int sum, int channel) {
        int shift = shifts[channel];
        int left = Math.max(shift, 0);
        int right = left - shift;
        long product = (long) (sum << left) * multipliers[channel];
        // A shift would round down: the kernels divide, which rounds toward zero.
        int high = (int) ((product + (product >= 0 ? 1 << 30 : 1 - (1 << 30))) / (1L << MULTIPLIER_BITS));
        int mask = (int) ((1L << right) - 1);
        int threshold = (mask >>> 1) + (high >>> 31);
        return (high >> right) + ((high & mask) > threshold ? 1 : 0);
    }

    /** Returns a sum in steps, rounded once, halves up. */
    int once(int sum, int channel) {
        int right = MULTIPLIER_BITS - shifts[channel];
        return (int) ((long) sum * multipliers[channel] + (1L << right - 1) >> right);
    }
}
