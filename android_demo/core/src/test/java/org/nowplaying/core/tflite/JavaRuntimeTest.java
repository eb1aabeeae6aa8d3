package org.nowplaying.core.tflite;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.model.Model;

/** Graphs give what LiteRT's reference kernels give: every byte where they are of int8. */
public class JavaRuntimeTest {
    @Test
    public void everyGraphGivesTheOutputsOfTheReferenceKernels() throws Exception {
        int exact = 0;
        int runs = 0;
        for (Object one : Golden.list(Golden.json("graphs.json").get("graphs"))) {
            Map<String, Object> graph = Golden.map(one);
            runs += compare(graph);
            exact += Golden.number(graph.get("tolerance")) == 0 ? 1 : 0;
        }
        assertTrue("graphs: " + exact, exact >= 300);
        assertTrue("runs: " + runs, runs >= 2000);
    }

    private static int compare(Map<String, Object> graph) throws Exception {
        String name = (String) graph.get("name");
        double tolerance = Golden.number(graph.get("tolerance"));
        ByteBuffer[] inputs = buffers(graph.get("input_bytes"));
        ByteBuffer[] outputs = buffers(graph.get("output_bytes"));
        Model model = new JavaRuntime().open(ByteBuffer.wrap(read(name)));
        ByteBuffer given = Golden.array("graphs/" + name + "-inputs.npy", "|u1", -1, -1);
        ByteBuffer wanted = Golden.array("graphs/" + name + "-outputs.npy", "|u1", -1, -1);
        int run = 0;
        for (; given.hasRemaining(); run++) {
            for (ByteBuffer input : inputs) {
                byte[] bytes = new byte[input.capacity()];
                given.get(bytes);
                input.clear();
                input.put(bytes).flip();
            }
            for (ByteBuffer output : outputs) {
                output.clear();
            }
            model.run(inputs, outputs);
            for (int i = 0; i < outputs.length; i++) {
                String where = name + ", run " + run + ", output " + i;
                byte[] expected = new byte[outputs[i].capacity()];
                wanted.get(expected);
                assertEquals(where, 0, outputs[i].remaining());
                outputs[i].flip();
                compare(where, tolerance, expected, outputs[i]);
            }
        }
        return run;
    }

    private static void compare(String where, double tolerance, byte[] expected, ByteBuffer output) {
        if (tolerance == 0) {
            byte[] found = new byte[expected.length];
            output.get(found);
            assertArrayEquals(where, expected, found);
            return;
        }
        ByteBuffer floats = ByteBuffer.wrap(expected).order(ByteOrder.LITTLE_ENDIAN);
        while (floats.hasRemaining()) {
            assertEquals(where, floats.getFloat(), output.getFloat(), tolerance);
        }
    }

    private static ByteBuffer[] buffers(Object sizes) {
        List<Object> list = Golden.list(sizes);
        return list.stream().map(size -> ByteBuffer.allocateDirect((int) Golden.number(size)).order(ByteOrder.nativeOrder()))
                .toArray(ByteBuffer[]::new);
    }

    private static String shippedEncoder() throws Exception {
        for (Object one : Golden.list(Golden.json("graphs.json").get("graphs"))) {
            String name = (String) Golden.map(one).get("name");
            if (name.startsWith("fingerprinter-") && name.endsWith("-encoder")) {
                return name;
            }
        }
        throw new AssertionError("graphs.json: expected a fingerprinter's encoder");
    }

    private static byte[] read(String name) throws Exception {
        return Files.readAllBytes(Golden.path("graphs/" + name + ".tflite"));
    }

    private static ArtifactException refused(byte[] graph) {
        return assertThrows(ArtifactException.class, () -> new JavaRuntime().open(ByteBuffer.wrap(graph)));
    }

    @Test
    public void anOperatorThatIsNotSupportedIsNamed() throws Exception {
        byte[] graph = read("logistic-0");
        String text = new String(graph, StandardCharsets.ISO_8859_1);
        int replaced = 0;
        for (int i = 0; i < graph.length; i++) { // the operator's number is in the file twice; 25 is SOFTMAX
            if (graph[i] == 14 && text.charAt(i) == 14) {
                byte[] other = graph.clone();
                other[i] = 25;
                try {
                    new JavaRuntime().open(ByteBuffer.wrap(other));
                } catch (ArtifactException error) {
                    replaced += error.getMessage().contains("SOFTMAX") ? 1 : 0;
                }
            }
        }
        assertTrue("messages that name it: " + replaced, replaced > 0);
    }

    @Test
    public void graphsThatEndTooEarlyAreRefused() throws Exception {
        byte[] graph = read(shippedEncoder());
        assertTrue(refused(new byte[0]).getMessage().contains("expected a whole graph"));
        for (int length = 1; length < graph.length; length += 1 + length / 3) {
            refused(Arrays.copyOf(graph, length));
        }
    }

    @Test
    public void damagedGraphsAreRefusedOrRun() throws Exception {
        byte[] graph = read("detector-v3-second_stage");
        Random random = new Random(3);
        int refused = 0;
        for (int i = 0; i < 1500; i++) {
            byte[] damaged = graph.clone();
            for (int k = 0; k < 20; k++) {
                damaged[random.nextInt(4096)] = (byte) random.nextInt();
                damaged[graph.length - 1 - random.nextInt(8192)] = (byte) random.nextInt();
            }
            try {
                new JavaRuntime().open(ByteBuffer.wrap(damaged));
            } catch (ArtifactException error) {
                refused++;
            }
        }
        assertTrue("refused: " + refused, refused > 500);
    }
}
