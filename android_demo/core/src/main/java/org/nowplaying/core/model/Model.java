package org.nowplaying.core.model;

import java.nio.ByteBuffer;

/** One opened graph with static shapes. */
public interface Model extends AutoCloseable {
    /**
     * Runs the graph once.
     *
     * @param inputs one for every input, direct, in native byte order, from position 0 to the limit
     * @param outputs filled from position 0, one for every output, as long as it
     */
    void run(ByteBuffer[] inputs, ByteBuffer[] outputs);

    @Override
    void close();

    /** Opens graphs: TensorFlow Lite on a phone. */
    interface Runtime {
        /**
         * Opens a graph.
         *
         * @param graph the bytes of a {@code .tflite} file whose hash was checked
         */
        Model open(ByteBuffer graph);
    }
}
