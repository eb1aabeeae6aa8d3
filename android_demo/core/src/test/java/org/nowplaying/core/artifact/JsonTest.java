package org.nowplaying.core.artifact;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import org.junit.Test;

public class JsonTest {
    @Test
    public void canonicalTextIsPythons() {
        String text = " {\"b\" : [1, 2.50, -3e-7, true, null, {}], \"a\\u00e9\": \"\\\"\\\\ \\n\\u0001\\ud83c\\udfb5\u007f/\\/\"}\n";
        String canonical = "{\"a\\u00e9\":\"\\\"\\\\ \\n\\u0001\\ud83c\\udfb5\\u007f//\",\"b\":[1,2.50,-3e-7,true,null,{}]}";
        assertEquals(canonical, Json.canonical(Json.parse(text)));
    }

    @Test
    public void whatIsNoJsonIsRefused() {
        String[] wrong = {
            "", "{", "[1,]", "{\"a\":1,}", "01", "+1", "1.", ".5", "NaN", "Infinity", "'a'", "\"a", "\"\t\"", "\"\\x\"",
            "\"\\u12\"", "tru", "1 2", "{a:1}", "[1 2]", "{\"a\" 1}",
        };
        for (String text : wrong) {
            assertThrows(text, IllegalArgumentException.class, () -> Json.parse(text));
        }
        String deep = new String(new char[5000]).replace('\0', '[');
        assertThrows(IllegalArgumentException.class, () -> Json.parse(deep));
    }
}
