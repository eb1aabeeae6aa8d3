package org.nowplaying.core.tflite;

/** DEPTHWISE_CONV_2D of int8, equal to the reference kernel: each input channel makes outputs of its own. */
final class DepthwiseConvolution implements Kernel {
    private static final int ACTIVATION = 4;

    private final Window window;
    private final byte[] input;
    private final Int8Output output;
    private final int channels;
    private final int multiplier; // outputs of each input channel
    private final byte[] weights; // (kernel rows, kernel columns, output channels)
    private final int[] bias;
    private final Scaling scaling;
    private final int inputZero;
    private final int[] sums;

    DepthwiseConvolution(Operator operator) {
        Tensor in = operator.input(0, Tensor.Type.INT8);
        Tensor kernel = operator.constant(1, Tensor.Type.INT8);
        Tensor out = operator.output(Tensor.Type.INT8);
        operator.require(kernel.shape.length == 4 && kernel.shape[0] == 1, "weights of rows, columns and channels");
        operator.require(operator.int32(5, 1) == 1 && operator.int32(6, 1) == 1, "no dilation");
        window = new Window(operator, kernel.shape[1], kernel.shape[2]);
        channels = kernel.shape[3];
        multiplier = channels / window.channels;
        operator.require(channels == multiplier * window.channels && channels == out.shape[3], "weights for each channel");
        weights = kernel.bytes;
        bias = operator.bias(2, channels);
        scaling = Scaling.ofLayer(operator, in, kernel, out, channels);
        inputZero = in.zeroPoint;
        input = in.bytes;
        output = new Int8Output(operator, out, ACTIVATION);
        sums = new int[channels];
    }

    @Override
    public void run() {
        int at = 0;
        for (int row = 0; row < window.outputRows; row++) {
            for (int column = 0; column < window.outputColumns; column++, at += channels) {
                System.arraycopy(bias, 0, sums, 0, channels);
                for (int y = window.firstKernelRow(row); y < window.endOfKernelRows(row); y++) {
                    for (int x = window.firstKernelColumn(column); x < window.endOfKernelColumns(column); x++) {
                        add(window.place(row, column, y, x), (y * window.kernelColumns + x) * channels);
                    }
                }
                for (int channel = 0; channel < channels; channel++) {
                    output.putScaled(at + channel, scaling.twice(sums[channel], channel));
                }
            }
        }
    }

    /** Adds one pixel's products to the sums. */
    private void add(int pixel, int place) {
        if (multiplier == 1) {
            for (int channel = 0; channel < channels; channel++) {
                sums[channel] += (input[pixel + channel] - inputZero) * weights[place + channel];
            }
            return;
        }
        int channel = 0;
        for (int from = 0; from < window.channels; from++) {
            int tap = input[pixel + from] - inputZero;
            for (int end = channel + multiplier; channel < end; channel++) {
                sums[channel] += tap * weights[place + channel];
            }
        }
    }
}
