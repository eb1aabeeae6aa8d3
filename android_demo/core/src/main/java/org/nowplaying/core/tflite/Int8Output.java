package org.nowplaying.core.tflite;

/** The int8 output of a layer with a fused activation: values are limited to what the activation lets through. */
final class Int8Output {
    private final byte[] bytes;
    private final int zeroPoint;
    private final int lowest;
    private final int highest;

    Int8Output(Operator operator, Tensor out, int activationField) {
        bytes = out.bytes;
        zeroPoint = out.zeroPoint;
        lowest = operator.lowest(activationField);
        highest = operator.highest(activationField);
    }

    /** Stores a value that is counted from the zero point. */
    void putScaled(int at, int value) {
        put(at, value + zeroPoint);
    }

    /** Stores a value. */
    void put(int at, int value) {
        bytes[at] = (byte) Math.min(Math.max(value, lowest), highest);
    }
}
