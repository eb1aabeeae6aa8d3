package org.nowplaying.core.tflite;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** A tensor of a graph and the array that holds its values, of which the type says which it is. */
final class Tensor {
    /** Types of which the kernels here compute, by their number in a file. */
    enum Type {
        FLOAT32(0, 4),
        INT32(2, 4),
        COMPLEX64(8, 8),
        INT8(9, 1);

        final int code;
        final int bytes;

        Type(int code, int bytes) {
            this.code = code;
            this.bytes = bytes;
        }
    }

    private static final int MOST_ELEMENTS = 1 << 22;

    final Type type;
    final int[] shape;
    final int elements;

    /** Quantization steps: none for floats, one, or one for every channel. */
    final float[] scales;

    final int zeroPoint;
    final boolean isConstant;

    /** Of INT8. */
    byte[] bytes;

    /** Of INT32. */
    int[] ints;

    /** Of FLOAT32; of COMPLEX64, real and imaginary parts in turn. */
    float[] floats;

    /**
     * Reads a tensor.
     *
     * @param table of the schema's type {@code Tensor}
     * @param content the constant's bytes, empty where a kernel or the caller computes it
     * @throws IllegalArgumentException where it is of another type, or its content has another length
     */
    Tensor(FlatTable table, ByteBuffer content) {
        shape = table.int32s(0);
        type = type(table.int8(1, 0));
        elements = elements(shape);
        isConstant = content.hasRemaining();
        FlatTable grid = table.table(4);
        scales = grid == null ? new float[0] : grid.floats(2);
        long[] zeroPoints = grid == null ? new long[0] : grid.int64s(3);
        zeroPoint = zeroPoints.length == 0 ? 0 : Math.toIntExact(zeroPoints[0]);
        for (long other : zeroPoints) {
            if (other != zeroPoint) {
                throw new IllegalArgumentException("a tensor whose channels have different zero points");
            }
        }
        if (isConstant && content.remaining() != (long) elements * type.bytes) {
            throw new IllegalArgumentException("expected " + this + ", found " + content.remaining() + " bytes of it");
        }
        allocate();
        if (isConstant) {
            read(content);
        }
    }

    private static Type type(int code) {
        for (Type one : Type.values()) {
            if (one.code == code) {
                return one;
            }
        }
        throw new IllegalArgumentException("a tensor of type " + code + " of the schema");
    }

    private static int elements(int[] shape) {
        long elements = 1;
        for (int size : shape) {
            elements *= size;
            if (size < 1 || elements > MOST_ELEMENTS) {
                throw new IllegalArgumentException("a tensor of the shape " + Arrays.toString(shape));
            }
        }
        return (int) elements;
    }

    private void allocate() {
        switch (type) {
            case INT8:
                bytes = new byte[elements];
                break;
            case INT32:
                ints = new int[elements];
                break;
            default:
                floats = new float[elements * type.bytes / 4];
        }
    }

    /** Fills the tensor from a buffer's beginning, in the buffer's byte order. */
    void read(ByteBuffer from) {
        switch (type) {
            case INT8:
                from.get(bytes);
                break;
            case INT32:
                for (int i = 0; i < ints.length; i++) {
                    ints[i] = from.getInt();
                }
                break;
            default:
                for (int i = 0; i < floats.length; i++) {
                    floats[i] = from.getFloat();
                }
        }
    }

    /** Puts the tensor's values into a buffer. */
    void write(ByteBuffer to) {
        if (type == Type.INT8) {
            to.put(bytes);
        } else {
            for (float value : floats) {
                to.putFloat(value);
            }
        }
    }

    /** Takes another tensor's array for its own, so that both always have the same values. */
    void share(Tensor other) {
        bytes = other.bytes;
        ints = other.ints;
        floats = other.floats;
    }

    /** Returns the array. */
    Object values() {
        return type == Type.INT8 ? bytes : type == Type.INT32 ? ints : floats;
    }

    /** Returns the one quantization step. */
    float scale() {
        if (scales.length != 1 || !(scales[0] > 0)) {
            throw new IllegalArgumentException("expected one quantization step above 0, found " + Arrays.toString(scales));
        }
        return scales[0];
    }

    /** Says whether two tensors have the same values for the same numbers. */
    boolean hasGridOf(Tensor other) {
        return type == other.type && zeroPoint == other.zeroPoint && Arrays.equals(scales, other.scales);
    }

    @Override
    public String toString() {
        return type + " " + Arrays.toString(shape);
    }
}
