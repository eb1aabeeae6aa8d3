package org.nowplaying.core.tflite;

/** Operators on floats that compute each element by itself; of two operands, the smaller is repeated. */
final class Elementwise {
    /** Functions of one number. */
    enum Unary {
        SQUARE,
        LOG,
        RSQRT
    }

    /** Functions of two numbers. */
    enum Binary {
        ADD,
        SUB,
        MUL,
        MINIMUM,
        MAXIMUM
    }

    private Elementwise() {}

    static Kernel unary(Operator operator, Unary function) {
        float[] in = operator.input(0, Tensor.Type.FLOAT32).floats;
        float[] out = operator.output(Tensor.Type.FLOAT32).floats;
        operator.require(in.length == out.length, "as many elements");
        switch (function) {
            case SQUARE:
                return () -> square(in, out);
            case LOG:
                return () -> log(in, out);
            default:
                return () -> inverseRoot(in, out);
        }
    }

    private static void square(float[] in, float[] out) {
        for (int i = 0; i < in.length; i++) {
            out[i] = in[i] * in[i];
        }
    }

    private static void log(float[] in, float[] out) {
        for (int i = 0; i < in.length; i++) {
            out[i] = (float) Math.log(in[i]);
        }
    }

    private static void inverseRoot(float[] in, float[] out) {
        for (int i = 0; i < in.length; i++) {
            out[i] = 1 / (float) Math.sqrt(in[i]);
        }
    }

    static Kernel binary(Operator operator, Binary function) {
        if (function != Binary.MINIMUM && function != Binary.MAXIMUM) {
            operator.requirePlain(0);
        }
        Tensor first = operator.input(0, Tensor.Type.FLOAT32);
        Tensor second = operator.input(1, Tensor.Type.FLOAT32);
        float[] a = first.floats;
        float[] b = second.floats;
        float[] out = operator.output(Tensor.Type.FLOAT32).floats;
        operator.require(a.length == out.length && repeats(second, first), "a second operand that is repeated to the first");
        switch (function) {
            case ADD:
                return () -> add(a, b, out);
            case SUB:
                return () -> subtract(a, b, out);
            case MUL:
                return () -> multiply(a, b, out);
            case MINIMUM:
                return () -> minimum(a, b, out);
            default:
                return () -> maximum(a, b, out);
        }
    }

    /** Says whether a tensor's shape, but for ones before it, is the end of another's. */
    private static boolean repeats(Tensor small, Tensor large) {
        int left = small.elements;
        for (int axis = large.shape.length - 1; left > 1 && axis >= 0; axis--) {
            int other = axis - large.shape.length + small.shape.length;
            if (other < 0 || small.shape[other] != large.shape[axis]) {
                return false;
            }
            left /= small.shape[other];
        }
        return left == 1;
    }

    private static void add(float[] a, float[] b, float[] out) {
        for (int start = 0; start < a.length; start += b.length) {
            for (int i = 0; i < b.length; i++) {
                out[start + i] = a[start + i] + b[i];
            }
        }
    }

    private static void subtract(float[] a, float[] b, float[] out) {
        for (int start = 0; start < a.length; start += b.length) {
            for (int i = 0; i < b.length; i++) {
                out[start + i] = a[start + i] - b[i];
            }
        }
    }

    private static void multiply(float[] a, float[] b, float[] out) {
        for (int start = 0; start < a.length; start += b.length) {
            for (int i = 0; i < b.length; i++) {
                out[start + i] = a[start + i] * b[i];
            }
        }
    }

    private static void minimum(float[] a, float[] b, float[] out) {
        for (int start = 0; start < a.length; start += b.length) {
            for (int i = 0; i < b.length; i++) {
                out[start + i] = Math.min(a[start + i], b[i]);
            }
        }
    }

    private static void maximum(float[] a, float[] b, float[] out) {
        for (int start = 0; start < a.length; start += b.length) {
            for (int i = 0; i < b.length; i++) {
                out[start + i] = Math.max(a[start + i], b[i]);
            }
        }
    }
}
