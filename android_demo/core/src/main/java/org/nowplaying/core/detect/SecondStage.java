package org.nowplaying.core.detect;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import org.nowplaying.core.model.Model;
import org.nowplaying.core.model.ModelFolder.Tensors;
import org.nowplaying.core.model.TensorSpec;

/**
 * The detector's second stage: a larger network over the last 446 frames, run only where the first may be right.
 *
 * <p>Python's {@code detector.second_stage} explains it and gives the same outputs.
 */
public final class SecondStage {
    static final String GRAPH = "second_stage.tflite";

    /** Frames that an output depends on. */
    static final int WINDOW_FRAMES = 446;

    private static final int MOST_WANTED = 256;

    private final Model model;
    private final ByteBuffer[] inputs;
    private final ByteBuffer[] outputs;
    private final int wantedAbove;
    private final byte[] ring = new byte[WINDOW_FRAMES * Network.CHANNELS];
    private int next;

    /**
     * Takes an opened graph.
     *
     * @param cascade the manifest's table: {@code wanted_above} is the first stage's smallest output, in 256ths, for
     *     which this network is run
     * @throws IllegalArgumentException when the tensors or the table are not those of a second stage
     */
    public SecondStage(Model model, Tensors tensors, Map<String, ?> cascade) {
        TensorSpec input = tensors.inputs.get(0);
        TensorSpec output = tensors.outputs.get(0);
        boolean fits = tensors.inputs.size() == 1 && tensors.outputs.size() == 1
                && input.type == TensorSpec.Type.INT8 && output.type == TensorSpec.Type.INT8
                && input.rank() == 4 && input.size(1) == WINDOW_FRAMES && input.size(2) == Network.CHANNELS
                && input.elements() == ring.length && output.elements() == 1;
        if (!fits) {
            throw new IllegalArgumentException(GRAPH + ": expected int8 [1, " + WINDOW_FRAMES + ", " + Network.CHANNELS
                    + ", 1] in and one int8 out, found " + tensors.inputs + " and " + tensors.outputs);
        }
        Object wanted = cascade.get("wanted_above");
        double number = wanted instanceof Number ? ((Number) wanted).doubleValue() : Double.NaN;
        if (!(number >= 0 && number <= MOST_WANTED && number == Math.rint(number))) {
            throw new IllegalArgumentException(
                    "cascade: wanted_above must be a whole number from 0 to 256, not " + wanted);
        }
        this.model = model;
        wantedAbove = (int) number;
        inputs = new ByteBuffer[] {input.allocate()};
        outputs = new ByteBuffer[] {output.allocate()};
        reset();
    }

    /** Forgets all frames. */
    public void reset() {
        Arrays.fill(ring, Network.SILENT);
        next = 0;
    }

    /**
     * Keeps one more frame.
     *
     * @param frame 40 values
     */
    public void put(byte[] frame) {
        System.arraycopy(frame, 0, ring, next * Network.CHANNELS, Network.CHANNELS);
        next = (next + 1) % WINDOW_FRAMES;
    }

    /**
     * Returns the cascade's output after the newest frame.
     *
     * @param output the first stage's, from 0 to 255
     * @return this network's output where that is high enough, otherwise 0
     */
    public int confirm(int output) {
        if (output < wantedAbove) {
            return 0;
        }
        int oldest = next * Network.CHANNELS;
        inputs[0].rewind();
        inputs[0].put(ring, oldest, ring.length - oldest).put(ring, 0, oldest).rewind();
        outputs[0].rewind();
        model.run(inputs, outputs);
        return outputs[0].get(0) + 128;
    }

    public void close() {
        model.close();
    }
}
