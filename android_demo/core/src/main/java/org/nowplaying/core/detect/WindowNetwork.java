package org.nowplaying.core.detect;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.nowplaying.core.model.Model;
import org.nowplaying.core.model.ModelFolder.Tensors;

/** Runs a graph of whole windows on the newest 446 frames, every 64 frames. */
final class WindowNetwork extends Network {
    private final byte[] frames;
    private final int windowFrames;
    private int heard;
    private int next;

    WindowNetwork(Model model, Tensors tensors) {
        super(model, tensors, tensors.inputs.get(0).size(1));
        windowFrames = tensors.inputs.get(0).size(1);
        frames = new byte[windowFrames * CHANNELS];
        reset();
    }

    @Override
    public void reset() {
        super.reset();
        Arrays.fill(frames, SILENT);
        heard = next = 0;
    }

    @Override
    public boolean process(byte[] frame) {
        count(frame);
        System.arraycopy(frame, 0, frames, next * CHANNELS, CHANNELS);
        next = (next + 1) % windowFrames;
        heard++;
        if (heard < windowFrames) {
            return false;
        }
        if (heard == windowFrames + DECISION_FRAMES) {
            heard = windowFrames;
        }
        if (heard != windowFrames) {
            return false;
        }
        ByteBuffer input = inputs[0];
        input.rewind();
        input.put(frames, next * CHANNELS, (windowFrames - next) * CHANNELS).put(frames, 0, next * CHANNELS);
        run();
        return true;
    }
}
