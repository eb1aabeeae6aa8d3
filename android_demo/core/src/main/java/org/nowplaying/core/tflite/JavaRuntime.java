package org.nowplaying.core.tflite;

import java.nio.ByteBuffer;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.model.Model;

/**
 * Runs {@code .tflite} graphs in Java alone, so that an app needs no native library.
 *
 * <p>It has the operators of the models that ship here, and no others. Graphs of int8 give the bytes of TensorFlow Lite's
 * reference kernels; floats differ from them in the last places. All memory is allocated at opening.
 */
public final class JavaRuntime implements Model.Runtime {
    @Override
    public Model open(ByteBuffer graph) throws ArtifactException {
        try {
            return new Interpreter(graph);
        } catch (IllegalArgumentException | ArithmeticException error) {
            throw new ArtifactException(ArtifactException.Kind.CORRUPT, error.getMessage() + "; export the graph again");
        } catch (IndexOutOfBoundsException error) {
            throw new ArtifactException(ArtifactException.Kind.CORRUPT, "expected a whole graph (" + error + "); restore it");
        }
    }
}
