package org.nowplaying.core.db;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.NpyFile;

/** A database opened for reading: manifest, sizes, hashes and bounds first, then memory maps. */
public final class SongDatabase implements Songs {
    public final DatabaseManifest manifest;
    public final PqIndex index;
    private final long[] starts;

    private SongDatabase(DatabaseManifest manifest) throws ArtifactException {
        this.manifest = manifest;
        Path file = manifest.file("song_starts");
        starts = ascending(file, manifest.slots + 1, manifest.fingerprints);
        long songs = 0;
        for (int song = 0; song + 1 < starts.length; song++) {
            songs += starts[song + 1] > starts[song] ? 1 : 0;
        }
        if (songs != manifest.songs) {
            throw ArtifactException.corrupt(file, "expected " + manifest.songs + " songs with fingerprints");
        }
        index = new PqIndex(manifest);
    }

    /**
     * Opens a database folder.
     *
     * @param embeddingSpace id of the encoder that will query it
     * @param dim of its fingerprints
     * @throws ArtifactException when it is missing, damaged, newer than this reader, or made for another encoder
     */
    public static SongDatabase open(Path folder, String embeddingSpace, int dim) throws ArtifactException {
        DatabaseManifest manifest = DatabaseManifest.read(folder);
        manifest.checkSpace(embeddingSpace, dim);
        manifest.checkFiles();
        return new SongDatabase(manifest);
    }

    @Override
    public long start(int song) {
        return starts[song];
    }

    @Override
    public int songOf(long fingerprint) {
        int song = Arrays.binarySearch(starts, fingerprint);
        if (song < 0) {
            return -song - 2;
        }
        while (song + 1 < starts.length && starts[song + 1] == fingerprint) { // removed songs
            song++;
        }
        return song;
    }

    @Override
    public int dim() {
        return manifest.dim;
    }

    @Override
    public double hopS() {
        return manifest.hopS;
    }

    @Override
    public long fingerprints() {
        return manifest.fingerprints;
    }

    @Override
    public int slots() {
        return (int) manifest.slots;
    }

    @Override
    public int pack(int song) {
        return 0;
    }

    @Override
    public float[] rotate(int pack, float[] query) {
        return index.rotate(query);
    }

    @Override
    public float[] unrotate(int pack, float[] vector) {
        return index.unrotate(vector);
    }

    @Override
    public float[] decoded(long fingerprint) {
        return index.decoded(fingerprint);
    }

    @Override
    public boolean smooths(int pack) {
        return index.smooths();
    }

    @Override
    public float[] reference(int pack, float[] before, float[] own, float[] after) {
        return index.reference(before, own, after);
    }

    @Override
    public float[] cohortSimilarities(float[] query) {
        return index.cohortSimilarities(query);
    }

    @Override
    public Neighbors nearest(float[][] queries, int neighbors, SearchOptions options) {
        return index.nearest(queries, neighbors, options);
    }

    /** Reads offsets that must ascend from 0 to a total. */
    static long[] ascending(Path file, long n, long total) throws ArtifactException {
        ByteBuffer mapped = NpyFile.map(file, "<u4", n);
        long[] found = new long[(int) n];
        boolean valid = true;
        for (int i = 0; i < found.length; i++) {
            found[i] = mapped.getInt(4 * i) & 0xFFFFFFFFL;
            valid &= i == 0 ? found[i] == 0 : found[i] >= found[i - 1];
        }
        if (!valid || found[found.length - 1] != total) {
            throw ArtifactException.corrupt(file, "the ranges do not cover what they should in order");
        }
        return found;
    }
}
