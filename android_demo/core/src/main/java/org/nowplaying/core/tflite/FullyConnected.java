package org.nowplaying.core.tflite;

import java.util.Arrays;

/** FULLY_CONNECTED of int8, equal to the reference kernel, which rounds once where convolutions round twice. */
final class FullyConnected implements Kernel {
    private static final int ACTIVATION = 0;

    private final byte[] input;
    private final Int8Output output;
    private final byte[] weights; // (outputs, inputs)
    private final int[] bias;
    private final Scaling scaling;
    private final int inputZero;

    FullyConnected(Operator operator) {
        Tensor in = operator.input(0, Tensor.Type.INT8);
        Tensor kernel = operator.constant(1, Tensor.Type.INT8);
        Tensor out = operator.output(Tensor.Type.INT8);
        operator.require(kernel.shape.length == 2 && kernel.shape[1] == in.elements && kernel.shape[0] == out.elements,
                "one row in and out, and weights for each number");
        weights = kernel.bytes;
        bias = operator.bias(2, out.elements);
        if (kernel.scales.length == 1) {
            // The reference kernel multiplies these two in single precision.
            operator.require(kernel.zeroPoint == 0, "weights around zero");
            double[] factors = new double[out.elements];
            Arrays.fill(factors, (double) (in.scale() * kernel.scale()) / out.scale());
            scaling = new Scaling(operator, factors);
        } else {
            scaling = Scaling.ofLayer(operator, in, kernel, out, out.elements);
        }
        inputZero = in.zeroPoint;
        input = in.bytes;
        output = new Int8Output(operator, out, ACTIVATION);
    }

    @Override
    public void run() {
        for (int row = 0; row < bias.length; row++) {
            int sum = bias[row];
            int place = row * input.length;
            for (int i = 0; i < input.length; i++) {
                sum += (input[i] - inputZero) * weights[place + i];
            }
            output.putScaled(row, scaling.once(sum, row));
        }
    }
}
