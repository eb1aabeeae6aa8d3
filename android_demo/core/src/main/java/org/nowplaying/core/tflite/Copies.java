package org.nowplaying.core.tflite;

import java.util.Arrays;

/**
 * Operators that only move numbers, as a list of runs to copy: CONCATENATION, PAD, STRIDED_SLICE and TRANSPOSE of any type.
 *
 * <p>Where each output element comes from is worked out at opening; neighbours that stay neighbours become one run.
 */
final class Copies implements Kernel {
    private final Object from;
    private final Object to;
    private int[] runs = new int[0]; // from, to and length in turn
    private int used;

    private Copies(Tensor from, Tensor to) {
        this.from = from.values();
        this.to = to.values();
    }

    @Override
    public void run() {
        for (int i = 0; i < used; i += 3) {
            System.arraycopy(from, runs[i], to, runs[i + 1], runs[i + 2]);
        }
    }

    private void add(int source, int target) {
        if (used > 0 && source == runs[used - 3] + runs[used - 1] && target == runs[used - 2] + runs[used - 1]) {
            runs[used - 1]++;
            return;
        }
        if (used == runs.length) {
            runs = Arrays.copyOf(runs, Math.max(12, 2 * used));
        }
        runs[used++] = source;
        runs[used++] = target;
        runs[used++] = 1;
    }

    /**
     * Copies an array of {@code shape} whose element at index {@code i} goes from {@code source + sum(i * sourceStrides)}
     * to {@code target + sum(i * targetStrides)}.
     */
    private Copies all(int[] shape, int source, int[] sourceStrides, int target, int[] targetStrides) {
        add(0, shape, source, sourceStrides, target, targetStrides);
        return this;
    }

    private void add(int axis, int[] shape, int source, int[] sourceStrides, int target, int[] targetStrides) {
        if (axis == shape.length) {
            add(source, target);
            return;
        }
        for (int i = 0; i < shape[axis]; i++) {
            add(axis + 1, shape, source + i * sourceStrides[axis], sourceStrides, target + i * targetStrides[axis],
                    targetStrides);
        }
    }

    private static int[] strides(int[] shape) {
        int[] strides = new int[shape.length];
        int stride = 1;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= shape[axis];
        }
        return strides;
    }

    private static Tensor output(Operator operator, Tensor input, int... shape) {
        operator.require(input.type == Tensor.Type.FLOAT32 || input.type == Tensor.Type.INT8, "floats or int8");
        Tensor output = operator.output(input.type);
        operator.require(input.hasGridOf(output), "the same grid in and out");
        operator.require(Arrays.equals(output.shape, shape), "an output of the shape " + Arrays.toString(shape));
        return output;
    }

    static Kernel concatenation(Operator operator) {
        operator.requirePlain(1);
        Tensor first = operator.input(0);
        int axis = Math.floorMod(operator.int32(0, 0), first.shape.length);
        int[] whole = first.shape.clone();
        whole[axis] = 0;
        for (int i = 0; i < operator.inputs.length; i++) {
            Tensor input = operator.input(i);
            int[] rest = input.shape.clone();
            operator.require(rest.length == whole.length && input.hasGridOf(first), "parts of one rank and grid");
            whole[axis] += rest[axis];
            rest[axis] = whole[axis];
            operator.require(Arrays.equals(rest, whole), "parts that differ along one axis");
        }
        Tensor output = output(operator, first, whole);
        int[] strides = strides(whole);
        Copies[] parts = new Copies[operator.inputs.length];
        int start = 0;
        for (int i = 0; i < parts.length; i++) {
            Tensor input = operator.input(i);
            parts[i] = new Copies(input, output).all(input.shape, 0, strides(input.shape), start * strides[axis], strides);
            start += input.shape[axis];
        }
        return () -> {
            for (Copies part : parts) {
                part.run();
            }
        };
    }

    /** Pads with zeros, which a new array has. */
    static Kernel pad(Operator operator) {
        Tensor input = operator.input(0, Tensor.Type.FLOAT32);
        int[] widths = operator.constant(1, Tensor.Type.INT32).ints;
        operator.require(widths.length == 2 * input.shape.length, "a width before and behind each axis");
        int[] whole = input.shape.clone();
        for (int axis = 0; axis < whole.length; axis++) {
            operator.require(widths[2 * axis] >= 0 && widths[2 * axis + 1] >= 0, "widths from 0 on");
            whole[axis] += widths[2 * axis] + widths[2 * axis + 1];
        }
        int[] strides = strides(whole);
        int start = 0;
        for (int axis = 0; axis < whole.length; axis++) {
            start += widths[2 * axis] * strides[axis];
        }
        return new Copies(input, output(operator, input, whole)).all(input.shape, 0, strides(input.shape), start, strides);
    }

    static Kernel stridedSlice(Operator operator) {
        Tensor input = operator.input(0);
        int[] begins = operator.constant(1, Tensor.Type.INT32).ints;
        int[] ends = operator.constant(2, Tensor.Type.INT32).ints;
        int[] steps = operator.constant(3, Tensor.Type.INT32).ints;
        int rank = input.shape.length;
        operator.require(begins.length == rank && ends.length == rank && steps.length == rank, "a slice of each axis");
        operator.require(operator.int32(2, 0) == 0 && operator.int32(3, 0) == 0 && operator.int32(4, 0) == 0
                && operator.int8(5, 0) == 0, "a slice that keeps all axes");
        int[] shape = new int[rank];
        int[] strides = strides(input.shape);
        int start = 0;
        for (int axis = 0; axis < rank; axis++) {
            operator.require(steps[axis] > 0, "steps forward");
            int size = input.shape[axis];
            int begin = (operator.int32(0, 0) >> axis & 1) == 1 ? 0 : bounded(begins[axis], size);
            int end = (operator.int32(1, 0) >> axis & 1) == 1 ? size : bounded(ends[axis], size);
            shape[axis] = Math.max(0, (end - begin + steps[axis] - 1) / steps[axis]);
            start += begin * strides[axis];
            strides[axis] *= steps[axis];
        }
        Tensor output = output(operator, input, shape);
        return new Copies(input, output).all(shape, start, strides, 0, strides(shape));
    }

    private static int bounded(int place, int size) {
        return Math.min(Math.max(place < 0 ? place + size : place, 0), size);
    }

    static Kernel transpose(Operator operator) {
        Tensor input = operator.input(0);
        int[] order = operator.constant(1, Tensor.Type.INT32).ints;
        int rank = input.shape.length;
        int[] sorted = order.clone();
        Arrays.sort(sorted);
        for (int axis = 0; axis < rank; axis++) {
            operator.require(order.length == rank && sorted[axis] == axis, "an order of all axes");
        }
        int[] from = strides(input.shape);
        int[] shape = new int[rank];
        int[] strides = new int[rank];
        for (int axis = 0; axis < rank; axis++) {
            shape[axis] = input.shape[order[axis]];
            strides[axis] = from[order[axis]];
        }
        Tensor output = output(operator, input, shape);
        return new Copies(input, output).all(shape, 0, strides, 0, strides(shape));
    }
}
