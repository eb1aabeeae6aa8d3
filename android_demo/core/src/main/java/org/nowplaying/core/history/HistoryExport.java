package org.nowplaying.core.history;

import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.TimeZone;

/** The history as a table for other programs: CSV as in RFC 4180, times in ISO 8601 with their offset. */
public final class HistoryExport {
    private HistoryExport() {}

    public static String csv(List<HistoryEntry> songs, TimeZone zone) {
        SimpleDateFormat time = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ssXXX", Locale.ROOT);
        time.setTimeZone(zone);
        StringBuilder out =
                new StringBuilder("first_recognized,last_recognized,title,artist,track_id,score,recognitions\r\n");
        for (HistoryEntry song : songs) {
            out.append(time.format(new Date(song.firstRecognizedMs))).append(',');
            out.append(time.format(new Date(song.lastRecognizedMs))).append(',');
            out.append(quoted(song.title)).append(',').append(quoted(song.artist)).append(',');
            out.append(song.trackId).append(',').append(String.format(Locale.ROOT, "%.4f", song.score)).append(',');
            out.append(song.recognitions).append("\r\n");
        }
        return out.toString();
    }

    private static String quoted(String text) {
        // A spreadsheet reads a text that begins like this as a formula, and titles come from untrusted files.
        String safe = text.isEmpty() || "=+-@\t\r".indexOf(text.charAt(0)) < 0 ? text : "'" + text;
        return '"' + safe.replace("\"", "\"\"") + '"';
    }
}
