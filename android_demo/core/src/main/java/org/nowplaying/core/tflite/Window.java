package org.nowplaying.core.tflite;

/** Where the windows of a convolution or a pool stand on one image of [1, rows, columns, channels]. */
final class Window {
    private static final int SAME = 0;

    final int rows;
    final int columns;
    final int channels;
    final int outputRows;
    final int outputColumns;
    final int kernelRows;
    final int kernelColumns;

    /** The first row of an output row's window: {@code row * strideRows - top}. */
    final int strideRows;

    final int strideColumns;
    final int top;
    final int left;

    /** An operator whose options begin with padding, horizontal and vertical stride. */
    Window(Operator operator, int kernelRows, int kernelColumns) {
        Tensor input = operator.input(0, Tensor.Type.INT8);
        Tensor output = operator.output(Tensor.Type.INT8);
        operator.require(input.shape.length == 4 && output.shape.length == 4 && input.shape[0] == 1, "one image in and out");
        rows = input.shape[1];
        columns = input.shape[2];
        channels = input.shape[3];
        this.kernelRows = kernelRows;
        this.kernelColumns = kernelColumns;
        strideColumns = operator.int32(1, 0);
        strideRows = operator.int32(2, 0);
        operator.require(strideRows > 0 && strideColumns > 0 && kernelRows > 0 && kernelColumns > 0, "strides and sizes");
        boolean same = operator.int8(0, SAME) == SAME;
        outputRows = outputs(rows, kernelRows, strideRows, same);
        outputColumns = outputs(columns, kernelColumns, strideColumns, same);
        top = same ? Math.max((outputRows - 1) * strideRows + kernelRows - rows, 0) / 2 : 0;
        left = same ? Math.max((outputColumns - 1) * strideColumns + kernelColumns - columns, 0) / 2 : 0;
        operator.require(output.shape[0] == 1 && output.shape[1] == outputRows && output.shape[2] == outputColumns,
                "an output of " + outputRows + " rows and " + outputColumns + " columns");
    }

    private static int outputs(int size, int kernel, int stride, boolean same) {
        return ((same ? size : size - kernel + 1) + stride - 1) / stride;
    }

    /** Returns the first row of an output row's kernel that lies on the image. */
    int firstKernelRow(int outputRow) {
        return Math.max(0, top - outputRow * strideRows);
    }

    /** Returns the row behind the last that lies on the image. */
    int endOfKernelRows(int outputRow) {
        return Math.min(kernelRows, rows + top - outputRow * strideRows);
    }

    int firstKernelColumn(int outputColumn) {
        return Math.max(0, left - outputColumn * strideColumns);
    }

    int endOfKernelColumns(int outputColumn) {
        return Math.min(kernelColumns, columns + left - outputColumn * strideColumns);
    }

    /** Returns where a pixel's first channel is in the image's array. */
    int place(int outputRow, int outputColumn, int kernelRow, int kernelColumn) {
        int row = outputRow * strideRows - top + kernelRow;
        int column = outputColumn * strideColumns - left + kernelColumn;
        return (row * columns + column) * channels;
    }
}
