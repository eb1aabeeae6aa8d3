package org.nowplaying.core.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What a manifest states of a graph's input or output. */
public final class TensorSpec {
    /** Number types that the graphs use. */
    public enum Type {
        INT8(1),
        FLOAT32(4);

        final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }
    }

    public final Type type;

    /** Quantization step; 0 for floats. */
    public final float scale;

    public final int zeroPoint;
    private final int[] shape;

    /**
     * Reads the manifest's form.
     *
     * @throws IllegalArgumentException where it is none
     */
    TensorSpec(Object value) {
        Map<?, ?> table = value instanceof Map ? (Map<?, ?>) value : java.util.Collections.emptyMap();
        Object sizes = table.get("shape");
        if (!(sizes instanceof List) || ((List<?>) sizes).isEmpty()
                || !(table.get("scale") instanceof Number && table.get("zero_point") instanceof Number)) {
            throw new IllegalArgumentException("tensor: expected shape, dtype, scale and zero_point, found " + value);
        }
        shape = ((List<?>) sizes).stream().mapToInt(TensorSpec::size).toArray();
        if ("int8".equals(table.get("dtype"))) {
            type = Type.INT8;
        } else if ("float32".equals(table.get("dtype"))) {
            type = Type.FLOAT32;
        } else {
            throw new IllegalArgumentException("tensor: expected int8 or float32, found " + table.get("dtype"));
        }
        scale = ((Number) table.get("scale")).floatValue();
        zeroPoint = ((Number) table.get("zero_point")).intValue();
    }

    private static int size(Object value) {
        int size = value instanceof Number ? ((Number) value).intValue() : 0;
        if (size < 1 || size > 1 << 20) {
            throw new IllegalArgumentException("tensor: expected static sizes above 0, found " + value);
        }
        return size;
    }

    /** Returns the size along an axis. */
    public int size(int axis) {
        return shape[axis];
    }

    public int rank() {
        return shape.length;
    }

    /** Returns how many numbers it holds. */
    public int elements() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    /** Returns a buffer for it, direct and in native byte order, as runtimes want it. */
    public ByteBuffer allocate() {
        return ByteBuffer.allocateDirect(Math.multiplyExact(elements(), type.bytes)).order(ByteOrder.nativeOrder());
    }

    /** Returns a value's int8 step, rounded to nearest and saturated. */
    public byte quantize(float value) {
        return (byte) Math.min(Math.max((int) Math.rint(value / scale) + zeroPoint, -128), 127);
    }

    @Override
    public String toString() {
        return type + " " + Arrays.toString(shape);
    }
}
