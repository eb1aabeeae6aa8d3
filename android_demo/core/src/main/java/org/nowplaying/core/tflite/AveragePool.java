package org.nowplaying.core.tflite;

/** AVERAGE_POOL_2D of int8, equal to the reference kernel: halves are rounded away from zero. */
final class AveragePool implements Kernel {
    private static final int ACTIVATION = 5;

    private final Window window;
    private final byte[] input;
    private final Int8Output output;

    AveragePool(Operator operator) {
        Tensor in = operator.input(0, Tensor.Type.INT8);
        Tensor out = operator.output(Tensor.Type.INT8);
        window = new Window(operator, operator.int32(4, 0), operator.int32(3, 0));
        operator.require(in.hasGridOf(out) && out.shape[3] == window.channels, "channels and grid as before");
        input = in.bytes;
        output = new Int8Output(operator, out, ACTIVATION);
    }

    @Override
    public void run() {
        int at = 0;
        for (int row = 0; row < window.outputRows; row++) {
            for (int column = 0; column < window.outputColumns; column++) {
                for (int channel = 0; channel < window.channels; channel++) {
                    output.put(at++, average(row, column, channel));
                }
            }
        }
    }

    private int average(int row, int column, int channel) {
        int sum = 0;
        int n = 0;
        for (int y = window.firstKernelRow(row); y < window.endOfKernelRows(row); y++) {
            for (int x = window.firstKernelColumn(column); x < window.endOfKernelColumns(column); x++) {
                sum += input[window.place(row, column, y, x) + channel];
                n++;
            }
        }
        return (sum + (sum > 0 ? n / 2 : -(n / 2))) / n;
    }
}
