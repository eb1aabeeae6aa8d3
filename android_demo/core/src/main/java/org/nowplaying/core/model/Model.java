package org.nowplaying.core.model;

import java.nio.ByteBuffer;
import org.nowplaying.core.artifact.ArtifactException;

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

    /** Opens graphs. */
    interface Runtime {
        /**
         * Opens a graph.
         *
         * @param graph the bytes of a {@code .tflite} file whose hash was checked
         * @throws ArtifactException where the graph is damaged, or has an operator that the runtime lacks
         */
        Model open(ByteBuffer graph) throws ArtifactException;
    }
}
