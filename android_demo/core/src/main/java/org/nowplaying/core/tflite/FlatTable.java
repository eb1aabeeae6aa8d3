package org.nowplaying.core.tflite;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A table in a FlatBuffers file: fields by number, each absent or present.
 *
 * <p>Reading past the file's ends throws {@link IndexOutOfBoundsException}, or {@link IllegalArgumentException} where the
 * file states a length that it does not have.
 */
final class FlatTable {
    private final ByteBuffer file;
    private final int table;
    private final int fields;
    private final int fieldsBytes;

    /** Opens the file's root table. */
    static FlatTable root(ByteBuffer bytes) {
        ByteBuffer file = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
        return new FlatTable(file, file.getInt(0));
    }

    private FlatTable(ByteBuffer file, int table) {
        this.file = file;
        this.table = table;
        fields = table - file.getInt(table);
        fieldsBytes = file.getShort(fields) & 0xffff;
    }

    /** Returns where a field's value is, or 0 where it is absent. */
    private int place(int field) {
        int entry = 4 + 2 * field;
        int offset = entry + 2 <= fieldsBytes ? file.getShort(fields + entry) & 0xffff : 0;
        return offset == 0 ? 0 : table + offset;
    }

    private int target(int place) {
        return place + file.getInt(place);
    }

    int int8(int field, int absent) {
        int place = place(field);
        return place == 0 ? absent : file.get(place);
    }

    int int32(int field, int absent) {
        int place = place(field);
        return place == 0 ? absent : file.getInt(place);
    }

    /** Returns a table, or null where it is absent. */
    FlatTable table(int field) {
        int place = place(field);
        return place == 0 ? null : new FlatTable(file, target(place));
    }

    /** Returns a vector of tables; empty where it is absent. */
    FlatTable[] tables(int field) {
        int length = length(field, 4);
        FlatTable[] tables = new FlatTable[length];
        for (int i = 0; i < length; i++) {
            tables[i] = new FlatTable(file, target(element(field, 4, i)));
        }
        return tables;
    }

    int[] int32s(int field) {
        int[] values = new int[length(field, 4)];
        for (int i = 0; i < values.length; i++) {
            values[i] = file.getInt(element(field, 4, i));
        }
        return values;
    }

    long[] int64s(int field) {
        long[] values = new long[length(field, 8)];
        for (int i = 0; i < values.length; i++) {
            values[i] = file.getLong(element(field, 8, i));
        }
        return values;
    }

    float[] floats(int field) {
        float[] values = new float[length(field, 4)];
        for (int i = 0; i < values.length; i++) {
            values[i] = file.getFloat(element(field, 4, i));
        }
        return values;
    }

    /** Returns a vector of bytes in the file, little endian; empty where it is absent. */
    ByteBuffer bytes(int field) {
        int length = length(field, 1);
        ByteBuffer all = file.duplicate();
        int start = length == 0 ? 0 : element(field, 1, 0);
        all.position(start).limit(start + length);
        return all.slice().order(ByteOrder.LITTLE_ENDIAN);
    }

    private int length(int field, int elementBytes) {
        int place = place(field);
        if (place == 0) {
            return 0;
        }
        int vector = target(place);
        int length = file.getInt(vector);
        if (length < 0 || length > (file.limit() - vector - 4) / elementBytes) {
            throw new IllegalArgumentException("a vector of " + length + " elements is longer than the file");
        }
        return length;
    }

    private int element(int field, int elementBytes, int number) {
        return target(place(field)) + 4 + elementBytes * number;
    }
}
