package org.nowplaying.core.tflite;

/** DEQUANTIZE of int8. */
final class Dequantize implements Kernel {
    private final byte[] input;
    private final float[] output;
    private final float scale;
    private final int zeroPoint;

    Dequantize(Operator operator) {
        Tensor in = operator.input(0, Tensor.Type.INT8);
        Tensor out = operator.output(Tensor.Type.FLOAT32);
        operator.require(in.elements == out.elements, "as many elements");
        scale = in.scale();
        zeroPoint = in.zeroPoint;
        input = in.bytes;
        output = out.floats;
    }

    @Override
    public void run() {
        for (int i = 0; i < input.length; i++) {
            output[i] = scale * (input[i] - zeroPoint);
        }
    }
}
