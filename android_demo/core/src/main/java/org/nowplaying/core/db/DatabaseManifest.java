package org.nowplaying.core.db;

import static org.nowplaying.core.artifact.ArtifactException.corrupt;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.ArtifactException.Kind;
import org.nowplaying.core.artifact.FileHash;
import org.nowplaying.core.artifact.Json;

/** The counts, parameters and file hashes of a song database, checked against their bounds before a file is opened. */
public final class DatabaseManifest {
    private static final int OLDEST_SCHEMA = 2; // whose codes are of a product quantizer
    private static final int NEWEST_SCHEMA = 4; // names the kind of its codes, always the other one
    private static final long MAX_BYTES = 1 << 20;
    private static final long MAX_FINGERPRINTS = (1L << 32) - 1;
    private static final int MAX_SLOTS = 1 << 22; // of which this reader keeps an entry each in memory
    private static final double MIN_HOP_S = 0.01;
    private static final String COHORT = "cohort.npy"; // with whole vectors only where it does not follow from the cells
    private static final List<String> FILES = Arrays.asList(
            "songs.sqlite", "song_starts.npy", "list_starts.npy", "codes.npy", "centroids.npy", "rotation.npy",
            "cells.ann", "order_bits.npy", "order_counts.npy");
    private static final List<String> OF_PARTS = Arrays.asList("pq_centroids.npy", COHORT);
    private static final List<String> OF_WHOLE_VECTORS = Arrays.asList("words.npy", "word_steps.npy", "smoothing.npy");

    /** Version: every update of the database raises it by one. */
    public final int generation;

    public final String embeddingSpace;
    public final String encoder;
    public final int dim;
    public final double hopS;
    public final double windowS;
    public final int songs;
    public final long slots;
    public final long fingerprints;
    public final long codes;
    public final int cells;
    public final int subspaces;

    /** Whether a code's bytes name whole vectors to be added, and not one for each part of the dimensions. */
    public final boolean wholeVectors;

    private final Path folder;
    private final Map<String, Object> table;
    private final Map<String, Path> files = new HashMap<>();

    /**
     * Reads the manifest of a database folder.
     *
     * @throws ArtifactException where there is none, it is damaged, breaks its bounds, or is of another schema
     */
    public static DatabaseManifest read(Path folder) throws ArtifactException {
        if (!Files.isDirectory(folder)) {
            throw new ArtifactException(Kind.MISSING, folder + ": expected a database folder (NAME.npdb)");
        }
        Path path = folder.resolve("manifest.json");
        Object value;
        try {
            if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) || Files.size(path) > MAX_BYTES) {
                throw corrupt(path, "missing, a link, or no manifest of a database");
            }
            value = Json.parse(new String(Files.readAllBytes(path), StandardCharsets.UTF_8));
        } catch (ArtifactException error) {
            throw error;
        } catch (IOException | IllegalArgumentException error) {
            throw corrupt(path, "expected a readable JSON manifest of a database (" + error.getMessage() + ")");
        }
        if (!(value instanceof Map) || !"database".equals(((Map<?, ?>) value).get("kind"))) {
            throw corrupt(path, "expected the manifest of a database");
        }
        Map<String, Object> table = new HashMap<>();
        ((Map<?, ?>) value).forEach((name, one) -> table.put((String) name, one));
        Object version = table.get("schema_version");
        if (version instanceof Json.Num && ((Json.Num) version).isWhole()) {
            long number = ((Json.Num) version).longValue();
            if (number > 0 && number != OLDEST_SCHEMA && number != NEWEST_SCHEMA) {
                String reason = number > NEWEST_SCHEMA
                        ? " is newer than " + NEWEST_SCHEMA + "; update the app"
                        : ": written by an unreleased version; index the music again";
                throw new ArtifactException(Kind.UNSUPPORTED_VERSION, path + ": schema_version " + version + reason);
            }
        }
        Object digest = table.remove("digest");
        if (!FileHash.sha256(Json.canonical(table)).equals(digest)) {
            throw corrupt(path, "the content differs from its own digest");
        }
        return new DatabaseManifest(folder, table);
    }

    private DatabaseManifest(Path folder, Map<String, Object> table) throws ArtifactException {
        this.folder = folder;
        this.table = table;
        wholeVectors = count("schema_version", OLDEST_SCHEMA, NEWEST_SCHEMA) == NEWEST_SCHEMA;
        check(!wholeVectors || "residual".equals(table.get("code_kind")), "code_kind", "residual");
        check("pq".equals(table.get("layout")), "layout", "pq, the one that phones read");
        generation = (int) count("generation", 1, 999_999_999);
        dim = (int) count("dim", 1, 1024);
        fingerprints = count("n_fingerprints", 1, MAX_FINGERPRINTS);
        codes = count("n_codes", 1, fingerprints);
        slots = count("n_slots", 1, MAX_SLOTS);
        songs = (int) count("n_songs", 1, Math.min(Math.min(slots, fingerprints), Integer.MAX_VALUE));
        count("annoy_trees", 1, 1000);
        count("annoy_seed", 0, Integer.MAX_VALUE);
        cells = (int) count("n_cells", 1, 1 << 16);
        subspaces = (int) count("n_subspaces", 1, dim);
        check(wholeVectors || dim % subspaces == 0, "n_subspaces", "a divisor of " + dim);
        hopS = seconds("hop_s");
        windowS = seconds("window_s");
        embeddingSpace = text("embedding_space");
        check(embeddingSpace.matches("[0-9A-Za-z._-]{1,128}"), "embedding_space", "an id");
        encoder = text("encoder");
        check(encoder.length() <= 200, "encoder", "a short name");
        Object records = table.get("files");
        Set<String> roles = new TreeSet<>(FILES);
        roles.addAll(wholeVectors ? OF_WHOLE_VECTORS : OF_PARTS);
        if (records instanceof Map && ((Map<?, ?>) records).containsKey("cohort")) {
            roles.add(COHORT);
        }
        check(records instanceof Map && ((Map<?, ?>) records).size() == roles.size(), "files", "" + roles);
        for (String role : roles) {
            String stem = role.substring(0, role.indexOf('.'));
            String suffix = role.substring(role.indexOf('.'));
            Object record = ((Map<?, ?>) records).get(stem);
            check(record instanceof Map, "files." + stem, "a record");
            Object name = ((Map<?, ?>) record).get("name");
            // A plain name of our own making: it cannot leave the folder, nor name another role's file.
            boolean ours = name instanceof String && ((String) name).matches(stem + "-[0-9]{1,9}\\" + suffix);
            check(ours, "files." + stem + ".name", stem + "-<generation>" + suffix);
            files.put(stem, folder.resolve((String) name));
        }
    }

    /**
     * Checks that an encoder can query the database.
     *
     * @param dimInUse of its fingerprints
     * @throws ArtifactException where it was made for another one
     */
    public void checkSpace(String embeddingSpaceInUse, int dimInUse) throws ArtifactException {
        if (!embeddingSpace.equals(embeddingSpaceInUse)) {
            throw new ArtifactException(Kind.MISMATCH, folder + ": built with embedding space " + embeddingSpace + " ("
                    + encoder + "), but the model in use has " + embeddingSpaceInUse);
        }
        check(dim == dimInUse, "dim", dimInUse + ", as the model in use has it");
    }

    /** Returns the database's folder. */
    public Path folder() {
        return folder;
    }

    /** Returns whether a file plays a role that not all databases have. */
    boolean has(String role) {
        return files.containsKey(role);
    }

    /** Returns the path of the file that plays a role, such as {@code codes}. */
    public Path file(String role) {
        return files.get(role);
    }

    /**
     * Compares every file's size and SHA-256 with the manifest's.
     *
     * @throws ArtifactException where one is missing, a link, or different
     */
    public void checkFiles() throws ArtifactException {
        for (Map.Entry<String, Path> file : files.entrySet()) {
            Map<?, ?> record = (Map<?, ?>) ((Map<?, ?>) table.get("files")).get(file.getKey());
            FileHash.check(file.getValue(), record.get("bytes"), record.get("sha256"));
        }
    }

    private long count(String name, long low, long high) throws ArtifactException {
        Object value = table.get(name);
        boolean whole = value instanceof Json.Num && ((Json.Num) value).isWhole();
        long number = whole ? ((Json.Num) value).longValue() : 0;
        check(whole && low <= number && number <= high, name, "an integer in [" + low + ", " + high + "]");
        return number;
    }

    private double seconds(String name) throws ArtifactException {
        Object value = table.get(name);
        double number = value instanceof Json.Num ? ((Json.Num) value).doubleValue() : Double.NaN;
        check(number >= MIN_HOP_S && number <= 60, name, "seconds in [0.01, 60]");
        return number;
    }

    private String text(String name) throws ArtifactException {
        check(table.get(name) instanceof String, name, "a text");
        return (String) table.get(name);
    }

    private void check(boolean valid, String name, String expected) throws ArtifactException {
        if (!valid) {
            throw corrupt(folder, "manifest, field '" + name + "': expected " + expected);
        }
    }
}
