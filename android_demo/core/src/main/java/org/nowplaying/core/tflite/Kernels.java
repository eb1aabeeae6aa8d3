package org.nowplaying.core.tflite;

/** Makes an operator's kernel, for every operator that a shipped graph has. */
final class Kernels {
    private Kernels() {}

    /**
     * Returns an operator's kernel, or null where its output is its input's array.
     *
     * @throws IllegalArgumentException naming an operator that is not supported, or the form of it that is not
     */
    static Kernel of(Operator operator) {
        switch (operator.code) {
            case 0: // ADD
                return Elementwise.binary(operator, Elementwise.Binary.ADD);
            case 1: // AVERAGE_POOL_2D
                return new AveragePool(operator);
            case 2: // CONCATENATION
                return Copies.concatenation(operator);
            case 3: // CONV_2D
                return new Convolution(operator);
            case 4: // DEPTHWISE_CONV_2D
                return new DepthwiseConvolution(operator);
            case 6: // DEQUANTIZE
                return new Dequantize(operator);
            case 9: // FULLY_CONNECTED
                return operator.input(0).type == Tensor.Type.INT8
                        ? new FullyConnected(operator)
                        : new FloatFullyConnected(operator);
            case 14: // LOGISTIC
                return new Logistic(operator);
            case 18: // MUL
                return Elementwise.binary(operator, Elementwise.Binary.MUL);
            case 22: // RESHAPE
                return reshape(operator);
            case 34: // PAD
                return Copies.pad(operator);
            case 39: // TRANSPOSE
                return Copies.transpose(operator);
            case 40: // MEAN
                return Reduction.mean(operator);
            case 41: // SUB
                return Elementwise.binary(operator, Elementwise.Binary.SUB);
            case 45: // STRIDED_SLICE
                return Copies.stridedSlice(operator);
            case 55: // MAXIMUM
                return Elementwise.binary(operator, Elementwise.Binary.MAXIMUM);
            case 57: // MINIMUM
                return Elementwise.binary(operator, Elementwise.Binary.MINIMUM);
            case 73: // LOG
                return Elementwise.unary(operator, Elementwise.Unary.LOG);
            case 76: // RSQRT
                return Elementwise.unary(operator, Elementwise.Unary.RSQRT);
            case 82: // REDUCE_MAX
                return Reduction.max(operator);
            case 92: // SQUARE
                return Elementwise.unary(operator, Elementwise.Unary.SQUARE);
            case 131: // RFFT2D
                return new RealFft(operator);
            case 133: // IMAG
                return ComplexPart.imaginary(operator);
            case 134: // REAL
                return ComplexPart.real(operator);
            default:
                throw new IllegalArgumentException(OperatorNames.of(operator.code) + " is not among the operators that this app runs");
        }
    }

    private static Kernel reshape(Operator operator) {
        Tensor input = operator.input(0);
        Tensor output = operator.output(input.type);
        operator.require(input.elements == output.elements && input.hasGridOf(output), "as many elements, on the same grid");
        output.share(input);
        return null;
    }
}
