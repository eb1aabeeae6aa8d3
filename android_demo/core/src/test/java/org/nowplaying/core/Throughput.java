package org.nowplaying.core;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Locale;
import org.nowplaying.core.artifact.FileHash;
import org.nowplaying.core.artifact.NpyFile;
import org.nowplaying.core.audio.MulawRing;
import org.nowplaying.core.db.DatabaseManifest;
import org.nowplaying.core.db.SearchOptions;
import org.nowplaying.core.db.SongDatabase;
import org.nowplaying.core.match.Acceptance;
import org.nowplaying.core.match.SongMatcher;

/**
 * Measures what eight seconds of sound cost on this JVM without the models: {@code Throughput DATABASE QUERIES GOLDEN.json}.
 *
 * <p>Queries are an array (n, 12, dim) and the acceptance is in a JSON file, as the golden vectors have them. A measurement,
 * not a test.
 */
public final class Throughput {
    private static final int WARM_UP = 30;

    private Throughput() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 3) {
            System.err.println("usage: Throughput DATABASE QUERIES.npy ACCEPTANCE.json");
            System.exit(2);
        }
        Path folder = Paths.get(arguments[0]);
        DatabaseManifest manifest = DatabaseManifest.read(folder);
        long began = System.nanoTime();
        SongDatabase database = SongDatabase.open(folder, manifest.embeddingSpace, manifest.dim);
        double openMs = (System.nanoTime() - began) / 1e6;
        System.setProperty("golden", Paths.get(arguments[2]).toAbsolutePath().getParent().toString());
        Acceptance acceptance = new Acceptance(
                Golden.map(Golden.json(Paths.get(arguments[2]).getFileName().toString()).get("acceptance")));
        SongMatcher matcher = new SongMatcher(database, acceptance, null);
        ByteBuffer values = NpyFile.map(Paths.get(arguments[1]), "<f4", -1, 12, manifest.dim);
        int n = values.remaining() / 4 / 12 / manifest.dim;
        MulawRing ring = new MulawRing(128_000);
        ring.write(new short[128_000], 0, 128_000);
        double[] tookMs = new double[n];
        double[] cpuMs = new double[n]; // of this thread: what counts where others use the machine too
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        int named = 0;
        for (int round = -WARM_UP; round < n; round++) {
            float[][] query = query(values, Math.floorMod(round, n), manifest.dim);
            long beganCpu = threads.getCurrentThreadCpuTime();
            began = System.nanoTime();
            float[] samples = ring.read();
            boolean found = matcher.match(query, 0.5, new SearchOptions()).best() != null && samples.length > 0;
            if (round >= 0) {
                tookMs[round] = (System.nanoTime() - began) / 1e6;
                cpuMs[round] = (threads.getCurrentThreadCpuTime() - beganCpu) / 1e6;
                named += found ? 1 : 0;
            }
        }
        Arrays.sort(tookMs);
        Arrays.sort(cpuMs);
        System.out.println(String.format(Locale.ROOT,
                "{\"songs\": %d, \"fingerprints\": %d, \"queries\": %d, \"named\": %d, \"open_ms\": %.0f, "
                        + "\"median_ms\": %.1f, \"p95_ms\": %.1f, \"cpu_median_ms\": %.1f, \"cpu_p95_ms\": %.1f, "
                        + "\"cpu_most_ms\": %.1f, \"queries_sha256\": \"%s\"}",
                manifest.songs, manifest.fingerprints, n, named, openMs, tookMs[n / 2], tookMs[n * 95 / 100],
                cpuMs[n / 2], cpuMs[n * 95 / 100], cpuMs[n - 1], sha256(values)));
    }

    private static String sha256(ByteBuffer values) {
        byte[] bytes = new byte[values.remaining()];
        values.duplicate().get(bytes);
        return FileHash.sha256(bytes).substring(0, 16);
    }

    private static float[][] query(ByteBuffer values, int number, int dim) {
        float[][] rows = new float[12][dim];
        for (int row = 0; row < 12; row++) {
            for (int i = 0; i < dim; i++) {
                rows[row][i] = values.getFloat(4 * ((number * 12 + row) * dim + i));
            }
        }
        return rows;
    }
}
