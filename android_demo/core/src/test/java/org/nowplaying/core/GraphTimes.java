package org.nowplaying.core;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import org.nowplaying.core.model.Model;
import org.nowplaying.core.tflite.JavaRuntime;

/**
 * Measures what a run of every shipped graph costs on this JVM: {@code GraphTimes GOLDEN}, the folder of the golden vectors,
 * which has their inputs too.
 *
 * <p>Processor time of the thread, because others may use the machine too. A measurement, not a test.
 */
public final class GraphTimes {
    private static final int WARM_UP = 300;
    private static final int RUNS = 300;

    private GraphTimes() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 1) {
            System.err.println("usage: GraphTimes GOLDEN");
            System.exit(2);
        }
        Path golden = Paths.get(arguments[0]).toAbsolutePath();
        System.setProperty("golden", golden.toString());
        for (Object one : Golden.list(Golden.json("graphs.json").get("graphs"))) {
            Map<String, Object> graph = Golden.map(one);
            String name = (String) graph.get("name");
            if (Boolean.TRUE.equals(graph.get("is_shipped"))) {
                measure(name, graph, Files.readAllBytes(golden.resolve("graphs/" + name + ".tflite")));
            }
        }
    }

    private static void measure(String name, Map<String, Object> graph, byte[] content) throws Exception {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long began = threads.getCurrentThreadCpuTime();
        Model model = new JavaRuntime().open(ByteBuffer.wrap(content));
        double openMs = (threads.getCurrentThreadCpuTime() - began) / 1e6;
        ByteBuffer given = Golden.array("graphs/" + name + "-inputs.npy", "|u1", -1, -1);
        ByteBuffer[] inputs = buffers(graph.get("input_bytes"));
        ByteBuffer[] outputs = buffers(graph.get("output_bytes"));
        double firstMs = 0;
        double[] tookMs = new double[RUNS];
        for (int run = 0; run < WARM_UP + RUNS; run++) {
            for (ByteBuffer input : inputs) {
                if (!given.hasRemaining()) {
                    given.rewind();
                }
                byte[] bytes = new byte[input.capacity()];
                given.get(bytes);
                input.clear();
                input.put(bytes).flip();
            }
            for (ByteBuffer output : outputs) {
                output.clear();
            }
            began = threads.getCurrentThreadCpuTime();
            model.run(inputs, outputs);
            double ms = (threads.getCurrentThreadCpuTime() - began) / 1e6;
            firstMs = run == 0 ? ms : firstMs;
            tookMs[Math.max(run - WARM_UP, 0)] = ms;
        }
        Arrays.sort(tookMs);
        System.out.println(String.format(Locale.ROOT,
                "{\"graph\": \"%s\", \"open_ms\": %.1f, \"first_ms\": %.1f, \"median_ms\": %.3f, \"p95_ms\": %.3f}",
                name, openMs, firstMs, tookMs[RUNS / 2], tookMs[RUNS * 95 / 100]));
    }

    private static ByteBuffer[] buffers(Object sizes) {
        return Golden.list(sizes).stream()
                .map(size -> ByteBuffer.allocateDirect((int) Golden.number(size)).order(ByteOrder.nativeOrder()))
                .toArray(ByteBuffer[]::new);
    }
}
