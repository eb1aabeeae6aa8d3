package org.nowplaying.core;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.nowplaying.core.artifact.FileHash;
import org.nowplaying.core.model.Model;

/** Replays the recorded outputs of TensorFlow Lite, and fails on inputs that were not recorded. */
public final class RecordedRuntime implements Model.Runtime {
    private static byte[] bytes(ByteBuffer... buffers) {
        int size = 0;
        for (ByteBuffer one : buffers) {
            size += one.remaining();
        }
        ByteBuffer all = ByteBuffer.allocate(size);
        for (ByteBuffer one : buffers) {
            all.put(one.duplicate());
        }
        return all.array();
    }

    @Override
    public Model open(ByteBuffer graph) {
        String name = FileHash.sha256(bytes(graph)).substring(0, 16);
        Map<String, byte[]> answers = new HashMap<>();
        try {
            ByteBuffer keys = Golden.array(name + "-inputs.npy", "|u1", -1, 32);
            int n = keys.remaining() / 32;
            ByteBuffer outputs = Golden.array(name + "-outputs.npy", "|u1", n, -1);
            int size = outputs.remaining() / n;
            for (int i = 0; i < n; i++) {
                StringBuilder key = new StringBuilder();
                for (int k = 0; k < 32; k++) {
                    key.append(String.format("%02x", keys.get()));
                }
                byte[] answer = new byte[size];
                outputs.get(answer);
                answers.put(key.toString(), answer);
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return new Model() {
            @Override
            public void run(ByteBuffer[] inputs, ByteBuffer[] results) {
                byte[] answer = answers.get(FileHash.sha256(bytes(inputs)));
                if (answer == null) {
                    throw new AssertionError(name + ": inputs that Python did not record");
                }
                ByteBuffer all = ByteBuffer.wrap(answer);
                for (ByteBuffer one : results) {
                    while (one.hasRemaining()) {
                        one.put(all.get());
                    }
                }
            }

            @Override
            public void close() {}
        };
    }
}
