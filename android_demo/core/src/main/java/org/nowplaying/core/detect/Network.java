package org.nowplaying.core.detect;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.nowplaying.core.model.Model;
import org.nowplaying.core.model.ModelFolder.Tensors;
import org.nowplaying.core.model.TensorSpec;

/**
 * The detector's network over a stream of frames: runs a graph with states on 64 new frames at a time, and feeds
 * the states back.
 *
 * <p>The graph counts frames in 64s and windows are 446 long, so a stream begins with two frames of silence, and the
 * outputs of the six steps before the first whole window are not used.
 */
public final class Network {
    /** Frames from one output to the next: 640 ms. */
    public static final int DECISION_FRAMES = 64;

    static final byte SILENT = -128;
    static final int CHANNELS = 40;
    private static final int STRIDE = 2;

    private final Model model;
    private final ByteBuffer[] inputs;
    private final ByteBuffer[] outputs;
    private final int kept;
    private final int windowFrames;
    private final byte[] frames;
    private int waiting;
    private int received;
    private int silentFrames;
    private int output;

    /** @throws IllegalArgumentException when the graph's tensors are not those of a detector */
    public Network(Model model, Tensors tensors) {
        List<TensorSpec> specs = tensors.inputs;
        boolean fits = specs.size() > 1 && specs.size() == tensors.outputs.size() && specs.get(0).rank() == 4
                && specs.get(0).size(3) == CHANNELS && tensors.outputs.get(0).elements() == 1;
        for (List<TensorSpec> side : Arrays.asList(specs, tensors.outputs)) {
            for (TensorSpec spec : side) {
                fits &= spec.type == TensorSpec.Type.INT8 && spec.rank() == 4;
            }
        }
        kept = fits ? specs.get(1).size(1) : 0;
        fits = fits && 1 << specs.size() - 1 == DECISION_FRAMES && specs.get(0).size(1) == DECISION_FRAMES + kept;
        for (int i = 1; fits && i < specs.size(); i++) {
            TensorSpec joined = tensors.outputs.get(i);
            fits = joined.size(3) == specs.get(i).size(3) && joined.size(1) >= specs.get(i).size(1);
        }
        if (!fits) {
            throw new IllegalArgumentException("expected a detector graph of int8 that takes " + DECISION_FRAMES
                    + " new frames of " + CHANNELS + " channels, the frames kept before them and as many states as it puts"
                    + " out, found " + specs + " and " + tensors.outputs);
        }
        this.model = model;
        inputs = specs.stream().map(TensorSpec::allocate).toArray(ByteBuffer[]::new);
        outputs = tensors.outputs.stream().map(TensorSpec::allocate).toArray(ByteBuffer[]::new);
        windowFrames = windowFrames(specs);
        frames = new byte[(kept + DECISION_FRAMES) * CHANNELS];
        reset();
    }

    private static int windowFrames(List<TensorSpec> inputs) {
        int frames = inputs.get(inputs.size() - 1).size(1) + 1;
        for (int i = 1; i < inputs.size(); i++) {
            frames = STRIDE * (frames - 1) + STRIDE + inputs.get(1).size(1);
        }
        return frames;
    }

    /** Forgets all frames. */
    public void reset() {
        for (ByteBuffer state : inputs) {
            for (int i = 0; i < state.capacity(); i++) {
                state.put(i, SILENT);
            }
        }
        Arrays.fill(frames, SILENT);
        waiting = Math.floorMod(-windowFrames, DECISION_FRAMES);
        received = -waiting;
        silentFrames = output = 0;
    }

    /**
     * Processes one frame.
     *
     * @param frame 40 values
     * @return whether it completes an output
     */
    public boolean process(byte[] frame) {
        boolean silent = true;
        for (byte value : frame) {
            silent &= value == SILENT;
        }
        silentFrames = silent ? Math.min(silentFrames + 1, windowFrames + DECISION_FRAMES) : 0;
        System.arraycopy(frame, 0, frames, (kept + waiting) * CHANNELS, CHANNELS);
        if (++waiting < DECISION_FRAMES) {
            return false;
        }
        waiting = 0;
        received = Math.min(received + DECISION_FRAMES, windowFrames);
        if (silentFrames < windowFrames + DECISION_FRAMES) { // otherwise another step would compute what the last one did
            step();
        }
        System.arraycopy(frames, DECISION_FRAMES * CHANNELS, frames, 0, kept * CHANNELS);
        return received >= windowFrames;
    }

    private void step() {
        for (ByteBuffer one : inputs) {
            one.rewind();
        }
        for (ByteBuffer one : outputs) {
            one.rewind();
        }
        inputs[0].put(frames).rewind();
        model.run(inputs, outputs);
        output = outputs[0].get(0) + 128;
        for (int i = 1; i < inputs.length; i++) {
            // The last rows of old and new frames joined are the next step's old ones.
            int from = outputs[i].capacity() - inputs[i].capacity();
            for (int at = 0; at < inputs[i].capacity(); at++) {
                inputs[i].put(at, outputs[i].get(from + at));
            }
        }
    }

    /** Returns the newest output, from 0 to 255: 256 times the probability of music. */
    public int output() {
        return output;
    }

    public void close() {
        model.close();
    }
}
