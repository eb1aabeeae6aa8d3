package org.nowplaying.core.tflite;

/**
 * CONV_2D of int8, equal to the reference kernel.
 *
 * <p>A window's taps that are zero are left out, which after a RELU is about every second one. The others add their row of
 * the weights, four at a time, to the sums of all output channels: a loop over neighbouring numbers, which compilers make
 * fast.
 */
final class Convolution implements Kernel {
    private static final int ACTIVATION = 3;

    private final Window window;
    private final byte[] input;
    private final Int8Output output;
    private final int channels;
    private final int[] weights; // (taps, output channels)
    private final int[] bias;
    private final Scaling scaling;
    private final int inputZero;
    private final int[] taps;
    private final int[] places; // of the taps' rows in the weights
    private final int[] sums;

    Convolution(Operator operator) {
        Tensor in = operator.input(0, Tensor.Type.INT8);
        Tensor kernel = operator.constant(1, Tensor.Type.INT8);
        Tensor out = operator.output(Tensor.Type.INT8);
        operator.require(kernel.shape.length == 4 && kernel.shape[3] == in.shape[in.shape.length - 1]
                && kernel.shape[0] == out.shape[out.shape.length - 1], "weights for each channel");
        operator.require(operator.int32(4, 1) == 1 && operator.int32(5, 1) == 1, "no dilation");
        window = new Window(operator, kernel.shape[1], kernel.shape[2]);
        channels = kernel.shape[0];
        int n = kernel.elements / channels;
        weights = new int[kernel.elements];
        for (int channel = 0; channel < channels; channel++) {
            for (int tap = 0; tap < n; tap++) {
                weights[tap * channels + channel] = kernel.bytes[channel * n + tap];
            }
        }
        bias = operator.bias(2, channels);
        scaling = Scaling.ofLayer(operator, in, kernel, out, channels);
        inputZero = in.zeroPoint;
        input = in.bytes;
        output = new Int8Output(operator, out, ACTIVATION);
        taps = new int[n];
        places = new int[n];
        sums = new int[channels];
    }

    @Override
    public void run() {
        int at = 0;
        for (int row = 0; row < window.outputRows; row++) {
            for (int column = 0; column < window.outputColumns; column++, at += channels) {
                System.arraycopy(bias, 0, sums, 0, channels);
                add(gather(row, column));
                for (int channel = 0; channel < channels; channel++) {
                    output.putScaled(at + channel, scaling.twice(sums[channel], channel));
                }
            }
        }
    }

    /** Collects the window's taps that are not zero, and returns how many there are. */
    private int gather(int row, int column) {
        int n = 0;
        int first = window.firstKernelColumn(column);
        int pixels = window.endOfKernelColumns(column) - first;
        for (int y = window.firstKernelRow(row); y < window.endOfKernelRows(row); y++) {
            int from = window.place(row, column, y, first);
            int end = from + pixels * window.channels;
            int place = (y * window.kernelColumns + first) * window.channels * channels;
            for (int i = from; i < end; i++, place += channels) {
                int tap = input[i] - inputZero;
                if (tap != 0) {
                    taps[n] = tap;
                    places[n++] = place;
                }
            }
        }
        return n;
    }

    private void add(int n) {
        int i = 0;
        for (; i + 4 <= n; i += 4) {
            addFour(sums, weights, sums.length, taps[i], places[i], taps[i + 1], places[i + 1], taps[i + 2], places[i + 2],
                    taps[i + 3], places[i + 3]);
        }
        for (; i < n; i++) {
            int tap = taps[i];
            int place = places[i];
            for (int channel = 0; channel < channels; channel++) {
                sums[channel] += tap * weights[place + channel];
            }
        }
    }

    private static void addFour(int[] sums, int[] weights, int n, int tap0, int row0, int tap1, int row1, int tap2, int row2,
            int tap3, int row3) {
        for (int channel = 0; channel < n; channel++) {
            sums[channel] += tap0 * weights[row0 + channel] + tap1 * weights[row1 + channel]
                    + tap2 * weights[row2 + channel] + tap3 * weights[row3 + channel];
        }
    }
}
