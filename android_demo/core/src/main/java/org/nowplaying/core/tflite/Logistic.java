package org.nowplaying.core.tflite;

/** LOGISTIC of int8, as a table of the 256 inputs. */
final class Logistic implements Kernel {
    private static final float OUTPUT_STEP = 1 / 256f;

    private final byte[] table = new byte[256];
    private final byte[] input;
    private final byte[] output;

    Logistic(Operator operator) {
        Tensor in = operator.input(0, Tensor.Type.INT8);
        Tensor out = operator.output(Tensor.Type.INT8);
        operator.require(in.elements == out.elements, "as many elements");
        operator.require(out.scale() == OUTPUT_STEP && out.zeroPoint == Byte.MIN_VALUE, "an output in 256ths from -128 on");
        for (int i = 0; i < table.length; i++) {
            double value = (double) in.scale() * (Byte.MIN_VALUE + i - in.zeroPoint);
            table[i] = (byte) Math.min(Math.round(256 / (1 + Math.exp(-value))) + Byte.MIN_VALUE, Byte.MAX_VALUE);
        }
        input = in.bytes;
        output = out.bytes;
    }

    @Override
    public void run() {
        for (int i = 0; i < input.length; i++) {
            output[i] = table[input[i] - Byte.MIN_VALUE];
        }
    }
}
