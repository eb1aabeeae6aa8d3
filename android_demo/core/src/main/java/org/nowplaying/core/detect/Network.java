package org.nowplaying.core.detect;

import java.nio.ByteBuffer;
import java.util.List;
import org.nowplaying.core.model.Model;
import org.nowplaying.core.model.ModelFolder.Tensors;
import org.nowplaying.core.model.TensorSpec;

/**
 * The detector's network over a stream of frames: a graph of whole windows, or one with states that computes new frames
 * only. Both give the same outputs; the manifest says which one it is.
 */
public abstract class Network {
    /** Frames from one output to the next: 640 ms. */
    public static final int DECISION_FRAMES = 64;

    static final byte SILENT = -128;
    static final int CHANNELS = 40;

    final Model model;
    final ByteBuffer[] inputs;
    final ByteBuffer[] outputs;
    private final int enoughSilence;
    private int silentFrames;
    private int output;

    Network(Model model, Tensors tensors, int windowFrames) {
        this.model = model;
        inputs = tensors.inputs.stream().map(TensorSpec::allocate).toArray(ByteBuffer[]::new);
        outputs = tensors.outputs.stream().map(TensorSpec::allocate).toArray(ByteBuffer[]::new);
        enoughSilence = windowFrames + DECISION_FRAMES;
    }

    /**
     * Returns the runner that fits a graph.
     *
     * @throws IllegalArgumentException when its tensors are not those of a detector
     */
    public static Network open(Model model, Tensors tensors) {
        boolean fits = tensors.inputs.size() == tensors.outputs.size() && tensors.inputs.get(0).rank() == 4
                && tensors.inputs.get(0).size(3) == CHANNELS && tensors.outputs.get(0).elements() == 1;
        for (List<TensorSpec> side : java.util.Arrays.asList(tensors.inputs, tensors.outputs)) {
            for (TensorSpec spec : side) {
                fits &= spec.type == TensorSpec.Type.INT8 && spec.rank() == 4;
            }
        }
        if (!fits) {
            throw new IllegalArgumentException("expected a detector graph with int8 input (1, frames, 1, " + CHANNELS
                    + "), int8 output and as many states in as out, found " + tensors.inputs + " and " + tensors.outputs);
        }
        return tensors.inputs.size() == 1 ? new WindowNetwork(model, tensors) : new StreamNetwork(model, tensors);
    }

    /**
     * Takes one frame in.
     *
     * @param frame 40 values
     * @return whether it completes an output
     */
    public abstract boolean process(byte[] frame);

    /** Returns the newest output, from 0 to 255: 256 times the probability of music. */
    public int output() {
        return output;
    }

    /** Forgets all frames. */
    public void reset() {
        silentFrames = 0;
        output = 0;
    }

    public void close() {
        model.close();
    }

    /** Counts frames of silence. Only whole runs of them count, so that another step would compute what the last did. */
    final void count(byte[] frame) {
        boolean silent = true;
        for (byte value : frame) {
            silent &= value == SILENT;
        }
        silentFrames = silent ? Math.min(silentFrames + 1, enoughSilence) : 0;
    }

    /** Runs the graph on what the inputs hold, unless nothing but silence has gone into the last two windows. */
    final void run() {
        if (silentFrames >= enoughSilence) {
            return;
        }
        for (ByteBuffer one : inputs) {
            one.rewind();
        }
        for (ByteBuffer one : outputs) {
            one.rewind();
        }
        model.run(inputs, outputs);
        output = outputs[0].get(0) + 128;
    }
}
