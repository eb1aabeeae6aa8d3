package org.nowplaying.core.artifact;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A plain little-endian {@code .npy} array, memory-mapped after its header has been checked. */
public final class NpyFile {
    private static final int MAX_HEADER_BYTES = 4096;
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    private static final Pattern HEADER = Pattern.compile(
            "\\{'descr': '([<|][a-z][0-9])', 'fortran_order': False, "
                    + "'shape': \\(([0-9]{1,18},|[0-9]{1,18}(?:, [0-9]{1,18}){1,3})\\), \\} *\n");

    private NpyFile() {}

    /**
     * Maps an array's values.
     *
     * @param type as NumPy writes it, such as {@code <f4}
     * @param shape what the manifest promises; -1 for any length
     * @return its values from position 0 to the limit, little-endian
     * @throws ArtifactException when the file is not a plain array of that type and shape that fills it
     */
    public static ByteBuffer map(Path path, String type, long... shape) throws ArtifactException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            int bytes = (int) Math.min(channel.size(), MAX_HEADER_BYTES);
            byte[] start = new byte[bytes];
            for (ByteBuffer into = ByteBuffer.wrap(start); into.hasRemaining(); ) {
                if (channel.read(into) < 0) {
                    break;
                }
            }
            int offset = bytes < 10 ? bytes : 10 + (start[8] & 0xFF) + ((start[9] & 0xFF) << 8);
            boolean magic = bytes >= 10 && Arrays.equals(Arrays.copyOf(start, MAGIC.length), MAGIC) && offset <= bytes;
            String header = magic ? new String(start, 10, offset - 10, StandardCharsets.ISO_8859_1) : "";
            Matcher match = HEADER.matcher(header);
            if (!match.matches() || !match.group(1).equals(type) || !fits(match.group(2), shape)) {
                throw ArtifactException.corrupt(
                        path, "expected a plain .npy array " + type + " " + Arrays.toString(shape));
            }
            long size = type.charAt(2) - '0';
            for (String number : match.group(2).split(",")) {
                if (!number.trim().isEmpty()) {
                    size = Math.multiplyExact(size, Long.parseLong(number.trim()));
                }
            }
            if (offset + size != channel.size()) {
                throw ArtifactException.corrupt(path, channel.size() + " bytes do not fit the array");
            }
            if (size > Integer.MAX_VALUE) {
                throw ArtifactException.corrupt(path, "a file of 2 GB or more is too large for this reader");
            }
            return channel.map(FileChannel.MapMode.READ_ONLY, offset, size).order(ByteOrder.LITTLE_ENDIAN);
        } catch (ArtifactException error) {
            throw error;
        } catch (IOException | ArithmeticException error) {
            throw ArtifactException.corrupt(path, "cannot be read (" + error + ")");
        }
    }

    private static boolean fits(String found, long[] shape) {
        String[] numbers = found.split(", ?");
        boolean fits = numbers.length == shape.length;
        for (int i = 0; fits && i < shape.length; i++) {
            fits = shape[i] < 0 || shape[i] == Long.parseLong(numbers[i]);
        }
        return fits;
    }
}
