package org.nowplaying.core.model;

import static org.nowplaying.core.artifact.ArtifactException.corrupt;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.FileHash;
import org.nowplaying.core.artifact.Json;

/** A model's folder: graphs with checked hashes, and {@code manifest.json}, which describes them. */
public final class ModelFolder {
    private static final int NEWEST_SCHEMA = 1;

    private final Path folder;
    private final Map<?, ?> manifest;

    /** The tensors that the manifest states of a graph, each in the graph's order. */
    public static final class Tensors {
        public final List<TensorSpec> inputs;
        public final List<TensorSpec> outputs;

        Tensors(List<TensorSpec> inputs, List<TensorSpec> outputs) {
            this.inputs = Collections.unmodifiableList(inputs);
            this.outputs = Collections.unmodifiableList(outputs);
        }
    }

    /**
     * Reads a model folder's manifest.
     *
     * @param role {@code detector} or {@code fingerprinter}
     * @throws ArtifactException if it is missing, of another kind, or newer
     */
    public ModelFolder(Path folder, String role) throws ArtifactException {
        this.folder = folder;
        Path path = folder.resolve("manifest.json");
        Object value;
        try {
            value = Json.parse(new String(Files.readAllBytes(path), StandardCharsets.UTF_8));
        } catch (IOException | IllegalArgumentException error) {
            throw corrupt(path, "expected a readable JSON manifest of a model (" + error.getMessage() + ")");
        }
        manifest = value instanceof Map ? (Map<?, ?>) value : Collections.emptyMap();
        Object version = manifest.get("schema_version");
        if (version instanceof Number && ((Number) version).longValue() > NEWEST_SCHEMA) {
            throw new ArtifactException(ArtifactException.Kind.UNSUPPORTED_VERSION,
                    path + ": schema_version " + version + " is newer than " + NEWEST_SCHEMA + "; update the app");
        }
        if (!"model".equals(manifest.get("kind")) || !role.equals(manifest.get("role"))) {
            throw corrupt(path, "expected the manifest of a " + role);
        }
    }

    public String name() {
        return String.valueOf(manifest.get("name"));
    }

    /** Returns a value of the manifest, or null. */
    public Object get(String name) {
        return manifest.get(name);
    }

    /**
     * Returns a table of the manifest.
     *
     * @throws ArtifactException where it is missing
     */
    @SuppressWarnings("unchecked")
    public Map<String, Object> table(String name) throws ArtifactException {
        Object value = manifest.get(name);
        if (!(value instanceof Map)) {
            throw corrupt(folder.resolve("manifest.json"), "expected a table '" + name + "'");
        }
        return (Map<String, Object>) value;
    }

    /** Returns the SHA-256 of a graph in lower-case hex; of an exported one, that of the graph without metadata. */
    public String graphSha256(String name) throws ArtifactException {
        Map<?, ?> record = record(name);
        Object own = record.get("graph_sha256");
        return String.valueOf(own == null ? record.get("sha256") : own);
    }

    /**
     * Opens a graph: the bytes that run are those whose hash was checked.
     *
     * @throws ArtifactException where the file is missing or differs from the manifest, or the runtime refuses it
     */
    public Model open(String name, Model.Runtime runtime) throws ArtifactException {
        ByteBuffer graph = read(name);
        try {
            return runtime.open(graph);
        } catch (ArtifactException error) {
            throw new ArtifactException(error.kind(), folder.resolve(name) + ": " + error.getMessage());
        }
    }

    private ByteBuffer read(String name) throws ArtifactException {
        Map<?, ?> record = record(name);
        Path path = folder.resolve(name);
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(path);
        } catch (IOException error) {
            throw corrupt(path, "cannot be read (" + error + ")");
        }
        if (!FileHash.sha256(bytes).equals(record.get("sha256"))) {
            throw corrupt(path, "SHA-256 differs from the manifest's");
        }
        ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length).order(ByteOrder.nativeOrder());
        direct.put(bytes).flip();
        return direct;
    }

    /**
     * Returns what the manifest states of a graph's tensors; a graph with memory has its states behind the first.
     *
     * @throws ArtifactException where that is missing or wrong
     */
    public Tensors tensors(String name) throws ArtifactException {
        try {
            Object stated = table("tensors").get(name);
            Map<?, ?> table = stated instanceof Map ? (Map<?, ?>) stated : Collections.emptyMap();
            List<TensorSpec> inputs = new ArrayList<>();
            List<TensorSpec> outputs = new ArrayList<>();
            inputs.add(new TensorSpec(table.get("input")));
            outputs.add(new TensorSpec(table.get("output")));
            Object states = table.get("states");
            for (Object one : states instanceof List ? (List<?>) states : Collections.emptyList()) {
                Map<?, ?> state = one instanceof Map ? (Map<?, ?>) one : Collections.emptyMap();
                inputs.add(new TensorSpec(state.get("input")));
                outputs.add(new TensorSpec(state.get("output")));
            }
            return new Tensors(inputs, outputs);
        } catch (IllegalArgumentException | ArithmeticException error) {
            throw corrupt(folder.resolve("manifest.json"), name + ": " + error.getMessage());
        }
    }

    private Map<?, ?> record(String name) throws ArtifactException {
        Object record = table("files").get(name);
        if (!(record instanceof Map)) {
            throw corrupt(folder.resolve("manifest.json"), "expected a file '" + name + "'");
        }
        return (Map<?, ?>) record;
    }
}
