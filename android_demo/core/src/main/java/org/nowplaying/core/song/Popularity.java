package org.nowplaying.core.song;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** How often songs are played, as an optional prior: of two that sound alike, the popular one is likelier. */
public final class Popularity {
    private static final double MAX_LOG = 3; // what the recognizer leaves open is settled; a clear match is not talked down
    private static final double UNSEEN = 0.5; // of the mean count: what a song that the table lacks is taken for

    private Popularity() {}

    /** Returns the natural logarithm of how much likelier than the average each song is, within +-3. */
    public static double[] logPrior(double[] counts) {
        double mean = Arrays.stream(counts).average().orElse(0);
        double[] prior = new double[counts.length];
        for (int i = 0; i < prior.length && mean > 0; i++) {
            double smoothed = (counts[i] + UNSEEN * mean) / ((1 + UNSEEN) * mean);
            prior[i] = Math.min(Math.max(Math.log(smoothed), -MAX_LOG), MAX_LOG);
        }
        return prior;
    }

    /**
     * Reads a table of track ids and counts, tab-separated with a header, and returns the prior by song number.
     *
     * @throws IOException when it cannot be read or holds something else; the message names the line
     */
    public static double[] read(Path path, int slots, SongStore songs) throws IOException {
        double[] counts = new double[slots];
        List<String> lines = Files.readAllLines(path, StandardCharsets.UTF_8);
        List<String> header = Arrays.asList(lines.isEmpty() ? new String[0] : lines.get(0).split("\t", -1));
        int id = header.indexOf("track_id");
        int number = header.indexOf("count");
        for (int line = 1; line < lines.size() && id >= 0 && number >= 0; line++) {
            String[] row = lines.get(line).split("\t", -1);
            if (lines.get(line).isEmpty()) {
                continue;
            }
            double count = row.length > Math.max(id, number) ? count(row[number]) : Double.NaN;
            if (!(count >= 0 && count <= Double.MAX_VALUE)) {
                throw new IOException(path + ": line " + (line + 1) + ": expected a track id and a count >= 0");
            }
            int song = songs.find(row[id]);
            if (song >= 0) {
                counts[song] = count;
            }
        }
        if (id < 0 || number < 0) {
            throw new IOException(path + ": expected a tab-separated table with the columns track_id and count");
        }
        return logPrior(counts);
    }

    private static double count(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException error) {
            return Double.NaN;
        }
    }
}
