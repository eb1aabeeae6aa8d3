package org.nowplaying.core.tflite;

/**
 * FULLY_CONNECTED of floats over the rows of its input. Of each output's weights, zeros at both ends are left out: a mel
 * filter has few others.
 */
final class FloatFullyConnected implements Kernel {
    private final float[] input;
    private final float[] output;
    private final float[] weights; // (outputs, inputs)
    private final float[] bias;
    private final int inputs;
    private final int[] firsts;
    private final int[] ends;

    FloatFullyConnected(Operator operator) {
        Tensor in = operator.input(0, Tensor.Type.FLOAT32);
        Tensor kernel = operator.constant(1, Tensor.Type.FLOAT32);
        Tensor out = operator.output(Tensor.Type.FLOAT32);
        operator.requirePlain(0);
        operator.require(kernel.shape.length == 2 && kernel.shape[1] == in.shape[in.shape.length - 1]
                && out.elements == in.elements / kernel.shape[1] * kernel.shape[0], "weights for each number");
        input = in.floats;
        output = out.floats;
        weights = kernel.floats;
        inputs = kernel.shape[1];
        int n = kernel.shape[0];
        bias = operator.inputs.length > 2 && operator.inputs[2] != null
                ? operator.constant(2, Tensor.Type.FLOAT32).floats
                : new float[n];
        operator.require(bias.length == n, "a bias for each output");
        firsts = new int[n];
        ends = new int[n];
        for (int row = 0; row < n; row++) {
            ends[row] = inputs;
            while (ends[row] > 0 && weights[row * inputs + ends[row] - 1] == 0) {
                ends[row]--;
            }
            while (firsts[row] < ends[row] && weights[row * inputs + firsts[row]] == 0) {
                firsts[row]++;
            }
        }
    }

    @Override
    public void run() {
        int at = 0;
        for (int from = 0; from < input.length; from += inputs) {
            for (int row = 0; row < firsts.length; row++) {
                float sum = 0;
                for (int i = firsts[row]; i < ends[row]; i++) {
                    sum += input[from + i] * weights[row * inputs + i];
                }
                output[at++] = sum + bias[row];
            }
        }
    }
}
