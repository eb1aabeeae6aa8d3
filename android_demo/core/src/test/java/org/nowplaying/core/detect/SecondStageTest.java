package org.nowplaying.core.detect;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Random;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.nowplaying.core.model.Model;
import org.nowplaying.core.model.ModelFolder;

/** The second stage sees the last 446 frames, oldest first, and only where the first stage is high enough. */
public class SecondStageTest {
    private static final String GRAPH = "second_stage.tflite";

    @Rule
    public final TemporaryFolder folders = new TemporaryFolder();

    private byte[] seen;
    private int runs;

    /** Puts out the first value of the last frame. */
    private final Model lastFrame = new Model() {
        @Override
        public void run(ByteBuffer[] inputs, ByteBuffer[] outputs) {
            seen = new byte[inputs[0].remaining()];
            inputs[0].duplicate().get(seen);
            runs++;
            outputs[0].put(0, seen[seen.length - Network.CHANNELS]);
        }

        @Override
        public void close() {}
    };

    private ModelFolder.Tensors tensors(int frames, String type) throws Exception {
        String spec = "{\"shape\":[%s],\"dtype\":\"%s\",\"scale\":0.0078125,\"zero_point\":-128}";
        String manifest = "{\"kind\":\"model\",\"role\":\"detector\",\"schema_version\":1,\"tensors\":{\"" + GRAPH + "\":{\"input\":"
                + String.format(spec, "1," + frames + ",40,1", type) + ",\"output\":" + String.format(spec, "1,1", type) + "}}}";
        Path folder = folders.newFolder().toPath();
        Files.write(folder.resolve("manifest.json"), manifest.getBytes(StandardCharsets.UTF_8));
        return new ModelFolder(folder, "detector").tensors(GRAPH);
    }

    private SecondStage stage(Object wantedAbove) throws Exception {
        Map<String, Object> cascade = Collections.singletonMap("wanted_above", wantedAbove);
        return new SecondStage(lastFrame, tensors(446, "int8"), cascade);
    }

    @Test
    public void itRunsOnTheLastFramesWhereTheFirstStageIsHighEnough() throws Exception {
        SecondStage stage = stage(128);
        Random random = new Random(4);
        byte[] all = new byte[(446 + 1000) * Network.CHANNELS];
        Arrays.fill(all, 0, 446 * Network.CHANNELS, Network.SILENT);
        byte[] frame = new byte[Network.CHANNELS];
        for (int n = 446; n < 446 + 1000; n++) {
            random.nextBytes(frame);
            System.arraycopy(frame, 0, all, n * Network.CHANNELS, Network.CHANNELS);
            stage.put(frame);
            if (n % 100 == 0) {
                int before = runs;
                assertEquals(0, stage.confirm(127));
                assertEquals("not run below its level", before, runs);
                assertEquals(frame[0] + 128, stage.confirm(128));
                int stop = (n + 1) * Network.CHANNELS;
                assertArrayEquals(Arrays.copyOfRange(all, stop - 446 * Network.CHANNELS, stop), seen);
            }
        }
        assertEquals(10, runs);
        stage.reset();
        assertEquals("silence after a reset", 0, stage.confirm(255));
        byte[] silence = new byte[seen.length];
        Arrays.fill(silence, Network.SILENT);
        assertArrayEquals(silence, seen);
    }

    @Test
    public void otherTensorsAndLevelsAreRefused() throws Exception {
        stage(0);
        stage(256);
        for (Object wrong : Arrays.asList(-1, 257, 1.5, "many", true)) {
            assertThrows(IllegalArgumentException.class, () -> stage(wrong));
        }
        for (ModelFolder.Tensors other : Arrays.asList(tensors(445, "int8"), tensors(446, "float32"))) {
            assertThrows(IllegalArgumentException.class,
                    () -> new SecondStage(lastFrame, other, Collections.singletonMap("wanted_above", 128)));
        }
        assertThrows(IllegalArgumentException.class,
                () -> new SecondStage(lastFrame, tensors(446, "int8"), Collections.emptyMap()));
    }
}
