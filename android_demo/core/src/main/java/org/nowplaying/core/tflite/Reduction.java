package org.nowplaying.core.tflite;

import java.util.Arrays;

/** MEAN of floats and REDUCE_MAX of int8 over some axes, in the order in which the elements lie. */
final class Reduction {
    private Reduction() {}

    static Kernel mean(Operator operator) {
        float[] in = operator.input(0, Tensor.Type.FLOAT32).floats;
        float[] out = operator.output(Tensor.Type.FLOAT32).floats;
        int[] targets = targets(operator);
        float n = (float) in.length / out.length;
        return () -> {
            Arrays.fill(out, 0);
            for (int i = 0; i < in.length; i++) {
                out[targets[i]] += in[i];
            }
            for (int i = 0; i < out.length; i++) {
                out[i] /= n;
            }
        };
    }

    static Kernel max(Operator operator) {
        Tensor input = operator.input(0, Tensor.Type.INT8);
        operator.require(input.hasGridOf(operator.output(Tensor.Type.INT8)), "the same grid in and out");
        byte[] in = input.bytes;
        byte[] out = operator.outputs[0].bytes;
        int[] targets = targets(operator);
        return () -> {
            Arrays.fill(out, Byte.MIN_VALUE);
            for (int i = 0; i < in.length; i++) {
                out[targets[i]] = (byte) Math.max(out[targets[i]], in[i]);
            }
        };
    }

    /** Returns the output element of each input element. */
    private static int[] targets(Operator operator) {
        Tensor input = operator.input(0);
        int rank = input.shape.length;
        boolean[] isReduced = new boolean[rank];
        for (int axis : operator.constant(1, Tensor.Type.INT32).ints) {
            operator.require(axis >= -rank && axis < rank, "axes of the input");
            isReduced[Math.floorMod(axis, rank)] = true;
        }
        int[] strides = new int[rank];
        int elements = 1;
        for (int axis = rank - 1; axis >= 0; axis--) {
            strides[axis] = isReduced[axis] ? 0 : elements;
            elements *= isReduced[axis] ? 1 : input.shape[axis];
        }
        operator.require(elements == operator.outputs[0].elements, "an output of " + elements + " elements");
        int[] targets = new int[input.elements];
        for (int i = 0; i < targets.length; i++) {
            int rest = i;
            for (int axis = rank - 1; axis >= 0; axis--) {
                targets[i] += rest % input.shape[axis] * strides[axis];
                rest /= input.shape[axis];
            }
        }
        return targets;
    }
}
