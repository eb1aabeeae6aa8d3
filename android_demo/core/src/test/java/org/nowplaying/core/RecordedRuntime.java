package org.nowplaying.core;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.nowplaying.core.artifact.FileHash;
import org.nowplaying.core.model.Model;

/** Says what TensorFlow Lite said to the very same inputs, and fails on any other. */
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
            ByteBuffer asked = Golden.array(name + "-asked.npy", "|u1", -1, 32);
            int n = asked.remaining() / 32;
            ByteBuffer said = Golden.array(name + "-said.npy", "|u1", n, -1);
            int size = said.remaining() / n;
            for (int i = 0; i < n; i++) {
                StringBuilder key = new StringBuilder();
                for (int k = 0; k < 32; k++) {
                    key.append(String.format("%02x", asked.get()));
                }
                byte[] answer = new byte[size];
                said.get(answer);
                answers.put(key.toString(), answer);
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return new Model() {
            @Override
            public void run(ByteBuffer[] inputs, ByteBuffer[] outputs) {
                byte[] answer = answers.get(FileHash.sha256(bytes(inputs)));
                if (answer == null) {
                    throw new AssertionError(name + ": asked what Python never asked");
                }
                ByteBuffer all = ByteBuffer.wrap(answer);
                for (ByteBuffer one : outputs) {
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
