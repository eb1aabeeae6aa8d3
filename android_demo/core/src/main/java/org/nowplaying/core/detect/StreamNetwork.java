package org.nowplaying.core.detect;

import java.nio.ByteBuffer;
import java.util.List;
import org.nowplaying.core.model.Model;
import org.nowplaying.core.model.ModelFolder.Tensors;
import org.nowplaying.core.model.TensorSpec;

/**
 * Runs a graph with explicit states on 64 new frames at a time: what a layer needs of the past is handed back to it.
 *
 * <p>The graph counts frames in 64s and windows are 446 long, so a stream begins with two frames of silence, and the six
 * steps before the first whole window give nothing.
 */
final class StreamNetwork extends Network {
    private static final int STRIDE = 2;

    private final int kept;
    private final int windowFrames;
    private final int before;
    private final byte[] frames;
    private int waiting;
    private int heard;

    StreamNetwork(Model model, Tensors tensors) {
        super(model, tensors, windowFrames(tensors.inputs));
        List<TensorSpec> specs = tensors.inputs;
        kept = specs.get(1).size(1);
        windowFrames = windowFrames(specs);
        before = Math.floorMod(-windowFrames, DECISION_FRAMES);
        boolean fits = 1 << specs.size() - 1 == DECISION_FRAMES && specs.get(0).size(1) == DECISION_FRAMES + kept;
        for (int i = 1; i < specs.size(); i++) {
            TensorSpec joined = tensors.outputs.get(i);
            fits &= joined.size(3) == specs.get(i).size(3) && joined.size(1) >= specs.get(i).size(1);
        }
        if (!fits) {
            throw new IllegalArgumentException("expected a graph of " + DECISION_FRAMES
                    + " new frames a step and the frames kept before them, found " + specs + " and " + tensors.outputs);
        }
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

    @Override
    public void reset() {
        super.reset();
        for (ByteBuffer state : inputs) {
            for (int i = 0; i < state.capacity(); i++) {
                state.put(i, (byte) -128);
            }
        }
        java.util.Arrays.fill(frames, SILENT);
        waiting = before;
        heard = -before;
    }

    @Override
    public boolean process(byte[] frame) {
        count(frame);
        System.arraycopy(frame, 0, frames, (kept + waiting) * CHANNELS, CHANNELS);
        if (++waiting < DECISION_FRAMES) {
            return false;
        }
        waiting = 0;
        heard = Math.min(heard + DECISION_FRAMES, windowFrames);
        inputs[0].rewind();
        inputs[0].put(frames);
        run();
        for (int i = 1; i < inputs.length; i++) {
            // The last rows of old and new frames joined are the next step's old ones.
            int from = outputs[i].capacity() - inputs[i].capacity();
            for (int at = 0; at < inputs[i].capacity(); at++) {
                inputs[i].put(at, outputs[i].get(from + at));
            }
        }
        System.arraycopy(frames, DECISION_FRAMES * CHANNELS, frames, 0, kept * CHANNELS);
        return heard >= windowFrames;
    }
}
