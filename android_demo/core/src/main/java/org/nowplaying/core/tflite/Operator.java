package org.nowplaying.core.tflite;

import java.util.Arrays;

/** One operator of a graph: what it is, its options, and its tensors. */
final class Operator {
    /** Fused activations: what cuts an output off. */
    private static final int NONE = 0;

    private static final int RELU = 1;
    private static final int RELU6 = 3;

    /** Number in the schema's list of builtin operators. */
    final int code;

    final Tensor[] inputs;
    final Tensor[] outputs;
    private final FlatTable options;

    /**
     * Takes an operator.
     *
     * @param inputs null for an optional one that is left out
     * @param options null where all have their defaults
     */
    Operator(int code, FlatTable options, Tensor[] inputs, Tensor[] outputs) {
        this.code = code;
        this.options = options;
        this.inputs = inputs;
        this.outputs = outputs;
    }

    int int8(int field, int absent) {
        return options == null ? absent : options.int8(field, absent);
    }

    int int32(int field, int absent) {
        return options == null ? absent : options.int32(field, absent);
    }

    /** Returns an input that must be there. */
    Tensor input(int number) {
        require(number < inputs.length && inputs[number] != null, "input " + number);
        return inputs[number];
    }

    /** Returns an input that must be there, of a type. */
    Tensor input(int number, Tensor.Type type) {
        Tensor tensor = input(number);
        require(tensor.type == type, "input " + number + " of " + type);
        return tensor;
    }

    /** Returns an input that must be constant, of a type. */
    Tensor constant(int number, Tensor.Type type) {
        Tensor tensor = input(number, type);
        require(tensor.isConstant, "a constant input " + number);
        return tensor;
    }

    /** Returns the values of a constant input, or zeros where it is left out. */
    int[] bias(int number, int channels) {
        if (number >= inputs.length || inputs[number] == null) {
            return new int[channels];
        }
        int[] bias = constant(number, Tensor.Type.INT32).ints;
        require(bias.length == channels, "a bias for each of " + channels + " channels");
        return bias;
    }

    /** Returns the only output, of a type. */
    Tensor output(Tensor.Type type) {
        require(outputs.length == 1 && outputs[0].type == type, "one output of " + type);
        return outputs[0];
    }

    /** Returns the lowest int8 output that a fused activation lets through. */
    int lowest(int activationField) {
        int activation = int8(activationField, NONE);
        require(activation == NONE || activation == RELU || activation == RELU6, "no activation, RELU or RELU6");
        return activation == NONE ? Byte.MIN_VALUE : Math.max(Byte.MIN_VALUE, outputs[0].zeroPoint);
    }

    /** Returns the highest int8 output that a fused activation lets through. */
    int highest(int activationField) {
        if (int8(activationField, NONE) != RELU6) {
            return Byte.MAX_VALUE;
        }
        return Math.min(Byte.MAX_VALUE, outputs[0].zeroPoint + Math.round(6 / outputs[0].scale()));
    }

    /** Refuses a fused activation. */
    void requirePlain(int activationField) {
        require(int8(activationField, NONE) == NONE, "no fused activation");
    }

    /**
     * Refuses what a kernel does not compute.
     *
     * @throws IllegalArgumentException naming this operator and what was expected
     */
    void require(boolean holds, String expected) {
        if (!holds) {
            throw new IllegalArgumentException(this + ": expected " + expected);
        }
    }

    @Override
    public String toString() {
        return OperatorNames.of(code) + " of " + Arrays.toString(inputs) + " to " + Arrays.toString(outputs);
    }
}
