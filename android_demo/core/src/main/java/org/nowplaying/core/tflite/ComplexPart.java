package org.nowplaying.core.tflite;

/** REAL or IMAG: one part of each complex number. */
final class ComplexPart implements Kernel {
    private final float[] input;
    private final float[] output;
    private final int part;

    private ComplexPart(Operator operator, int part) {
        Tensor in = operator.input(0, Tensor.Type.COMPLEX64);
        Tensor out = operator.output(Tensor.Type.FLOAT32);
        operator.require(in.elements == out.elements, "as many elements");
        input = in.floats;
        output = out.floats;
        this.part = part;
    }

    static Kernel real(Operator operator) {
        return new ComplexPart(operator, 0);
    }

    static Kernel imaginary(Operator operator) {
        return new ComplexPart(operator, 1);
    }

    @Override
    public void run() {
        for (int i = 0; i < output.length; i++) {
            output[i] = input[2 * i + part];
        }
    }
}
