package org.nowplaying.core.artifact;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads JSON strictly, for manifests: they come from elsewhere, and their digest is over one canonical text.
 *
 * <p>Objects become {@link Map}, arrays {@link List}, numbers {@link Num}, and the rest {@link String}, {@link Boolean}
 * and null.
 */
public final class Json {
    private static final int MAX_DEPTH = 100;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** A number that remembers how it was written, because its text is part of the digest. */
    public static final class Num extends Number {
        private static final long serialVersionUID = 1L;
        private final String written;

        Num(String written) {
            this.written = written;
        }

        /** Whether it was written without fraction and exponent, and fits a long. */
        public boolean isWhole() {
            return written.length() <= 18 && written.matches("-?[0-9]+");
        }

        @Override
        public int intValue() {
            return (int) longValue();
        }

        @Override
        public long longValue() {
            return isWhole() ? Long.parseLong(written) : (long) doubleValue();
        }

        @Override
        public float floatValue() {
            return new BigDecimal(written).floatValue();
        }

        @Override
        public double doubleValue() {
            return Double.parseDouble(written);
        }

        @Override
        public String toString() {
            return written;
        }
    }

    /**
     * Parses a text.
     *
     * @throws IllegalArgumentException where it is no JSON
     */
    public static Object parse(String text) {
        Json reader = new Json(text);
        Object value = reader.value(0);
        reader.space();
        if (reader.at != text.length()) {
            throw reader.wrong("the end");
        }
        return value;
    }

    /** Returns a value's canonical text: keys sorted, no spaces, ASCII only. */
    public static String canonical(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        if (value instanceof Map) {
            char before = '{';
            for (Map.Entry<?, ?> entry : new TreeMap<Object, Object>((Map<?, ?>) value).entrySet()) {
                out.append(before);
                quote((String) entry.getKey(), out);
                out.append(':');
                write(entry.getValue(), out);
                before = ',';
            }
            out.append(before == '{' ? "{}" : "}");
        } else if (value instanceof List) {
            char before = '[';
            for (Object item : (List<?>) value) {
                out.append(before);
                write(item, out);
                before = ',';
            }
            out.append(before == '[' ? "[]" : "]");
        } else if (value instanceof String) {
            quote((String) value, out);
        } else {
            out.append(value);
        }
    }

    private static void quote(String value, StringBuilder out) {
        out.append('"');
        for (char letter : value.toCharArray()) {
            int short_ = "\"\\\b\f\n\r\t".indexOf(letter);
            if (short_ >= 0) {
                out.append('\\').append("\"\\bfnrt".charAt(short_));
            } else if (letter < ' ' || letter > '~') {
                out.append(String.format("\\u%04x", (int) letter));
            } else {
                out.append(letter);
            }
        }
        out.append('"');
    }

    private Object value(int depth) {
        space();
        if (depth > MAX_DEPTH || at == text.length()) {
            throw wrong("a value");
        }
        switch (text.charAt(at)) {
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> found = new LinkedHashMap<>();
        at++;
        if (isNext('}')) {
            return found;
        }
        do {
            space();
            String key = string();
            if (!isNext(':')) {
                throw wrong("':'");
            }
            found.put(key, value(depth + 1));
        } while (isNext(','));
        if (!isNext('}')) {
            throw wrong("'}'");
        }
        return found;
    }

    private List<Object> array(int depth) {
        List<Object> found = new ArrayList<>();
        at++;
        if (isNext(']')) {
            return found;
        }
        do {
            found.add(value(depth + 1));
        } while (isNext(','));
        if (!isNext(']')) {
            throw wrong("']'");
        }
        return found;
    }

    private String string() {
        if (at == text.length() || text.charAt(at) != '"') {
            throw wrong("a string");
        }
        StringBuilder found = new StringBuilder();
        for (at++; at < text.length(); at++) {
            char letter = text.charAt(at);
            if (letter == '"') {
                at++;
                return found.toString();
            }
            if (letter < ' ') {
                break;
            }
            found.append(letter == '\\' ? escaped() : letter);
        }
        throw wrong("the end of a string");
    }

    private char escaped() {
        at++;
        int place = at < text.length() ? "\"\\/bfnrtu".indexOf(text.charAt(at)) : -1;
        if (place < 0) {
            throw wrong("an escape");
        }
        if (place < 8) {
            return "\"\\/\b\f\n\r\t".charAt(place);
        }
        String digits = text.substring(at + 1, Math.min(at + 5, text.length()));
        if (!digits.matches("[0-9A-Fa-f]{4}")) {
            throw wrong("four hex digits");
        }
        at += 4;
        return (char) Integer.parseInt(digits, 16);
    }

    private Num number() {
        int start = at;
        while (at < text.length() && "+-.0123456789eE".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String written = text.substring(start, at);
        if (written.length() > 40 || !written.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")) {
            at = start;
            throw wrong("a number");
        }
        return new Num(written);
    }

    private <T> T word(String word, T meaning) {
        if (!text.startsWith(word, at)) {
            throw wrong(word);
        }
        at += word.length();
        return meaning;
    }

    private boolean isNext(char letter) {
        space();
        boolean found = at < text.length() && text.charAt(at) == letter;
        at += found ? 1 : 0;
        return found;
    }

    private void space() {
        while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private IllegalArgumentException wrong(String expected) {
        return new IllegalArgumentException("JSON, character " + at + ": expected " + expected);
    }
}
