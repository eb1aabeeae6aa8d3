package org.nowplaying.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import java.util.Map;
import org.nowplaying.core.artifact.Json;
import org.nowplaying.core.artifact.NpyFile;

/** What the Python package computed, from the folder that {@code python -m tests.android.golden} wrote. */
public final class Golden {
    private Golden() {}

    public static Path path(String name) {
        return Paths.get(System.getProperty("golden"), name);
    }

    public static ByteBuffer array(String name, String type, long... shape) throws IOException {
        return NpyFile.map(path(name), type, shape);
    }

    public static short[] shorts(String name) throws IOException {
        ByteBuffer bytes = array(name, "<i2", -1);
        short[] values = new short[bytes.remaining() / 2];
        bytes.asShortBuffer().get(values);
        return values;
    }

    @SuppressWarnings("unchecked")
    public static Map<String, Object> json(String name) throws IOException {
        return (Map<String, Object>) Json.parse(
                new String(Files.readAllBytes(path(name)), StandardCharsets.UTF_8));
    }

    @SuppressWarnings("unchecked")
    public static List<Object> list(Object value) {
        return (List<Object>) value;
    }

    @SuppressWarnings("unchecked")
    public static Map<String, Object> map(Object value) {
        return (Map<String, Object>) value;
    }

    public static double number(Object value) {
        return ((Number) value).doubleValue();
    }
}
