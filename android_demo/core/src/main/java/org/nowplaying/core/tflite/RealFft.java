package org.nowplaying.core.tflite;

/** RFFT2D of [1, n], n a power of two: the spectrum of each row of real floats, computed in double precision. */
final class RealFft implements Kernel {
    private final float[] input;
    private final float[] output;
    private final int size;
    private final double[] cos;
    private final double[] sin;
    private final int[] reversed;
    private final double[] re;
    private final double[] im;

    RealFft(Operator operator) {
        Tensor in = operator.input(0, Tensor.Type.FLOAT32);
        int[] lengths = operator.constant(1, Tensor.Type.INT32).ints;
        Tensor out = operator.output(Tensor.Type.COMPLEX64);
        size = in.shape[in.shape.length - 1];
        operator.require(lengths.length == 2 && lengths[0] == 1 && lengths[1] == size && size > 1
                && Integer.bitCount(size) == 1, "transforms of rows of a power of two");
        operator.require(in.shape.length > 1 && in.shape[in.shape.length - 2] == 1
                && out.elements == in.elements / size * (size / 2 + 1), "one row a transform, and half its spectrum out");
        input = in.floats;
        output = out.floats;
        cos = new double[size / 2];
        sin = new double[size / 2];
        for (int i = 0; i < size / 2; i++) {
            cos[i] = Math.cos(2 * Math.PI * i / size);
            sin[i] = -Math.sin(2 * Math.PI * i / size);
        }
        reversed = new int[size];
        for (int i = 0; i < size; i++) {
            reversed[i] = Integer.reverse(i) >>> Integer.numberOfLeadingZeros(size) + 1;
        }
        re = new double[size];
        im = new double[size];
    }

    @Override
    public void run() {
        int at = 0;
        for (int from = 0; from < input.length; from += size) {
            for (int i = 0; i < size; i++) {
                re[reversed[i]] = input[from + i];
                im[i] = 0;
            }
            transform();
            for (int i = 0; i <= size / 2; i++) {
                output[at++] = (float) re[i];
                output[at++] = (float) im[i];
            }
        }
    }

    private void transform() {
        for (int half = 1; half < size; half *= 2) {
            int step = size / (2 * half);
            for (int start = 0; start < size; start += 2 * half) {
                for (int k = 0; k < half; k++) {
                    int a = start + k;
                    int b = a + half;
                    double c = cos[k * step];
                    double s = sin[k * step];
                    double r = re[b] * c - im[b] * s;
                    double i = re[b] * s + im[b] * c;
                    re[b] = re[a] - r;
                    im[b] = im[a] - i;
                    re[a] += r;
                    im[a] += i;
                }
            }
        }
    }
}
