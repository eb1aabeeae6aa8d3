package org.nowplaying.core.sql;

/** Patterns for SQL's LIKE with {@code ESCAPE '\'}. */
public final class Like {
    private Like() {}

    /** Returns the pattern of all texts that contain this one, as it is. */
    public static String containing(String text) {
        return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%";
    }
}
