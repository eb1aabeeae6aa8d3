package org.nowplaying.core.db;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.song.SongStore;
import org.nowplaying.core.song.SqlSongStore;
import org.nowplaying.core.song.Track;
import org.nowplaying.core.sql.Sql;

/**
 * Several databases searched as one: fingerprints and songs are numbered through, pack after pack.
 *
 * <p>So scores mean the same however songs are shared out. A recording that several packs hold belongs to the first.
 */
public final class SongPacks implements Songs, SongStore {
    /** One opened database with its songs' metadata. */
    public static final class Pack {
        public final DatabaseManifest manifest;
        final SongDatabase database;
        final SqlSongStore songs;

        private Pack(SongDatabase database, SqlSongStore songs) {
            this.database = database;
            this.songs = songs;
            manifest = database.manifest;
        }

        /**
         * Opens a pack's folder and checks what a search needs of it.
         *
         * @param embeddingSpace id of the encoder that will query it
         * @param dim of its fingerprints
         * @param sql reads a file of SQLite
         * @throws ArtifactException when it is missing, damaged, newer than this reader, or made for another encoder
         */
        public static Pack open(Path folder, String embeddingSpace, int dim, Function<Path, Sql> sql)
                throws ArtifactException {
            SongDatabase database = SongDatabase.open(folder, embeddingSpace, dim);
            DatabaseManifest manifest = database.manifest;
            Path file = manifest.file("songs");
            SqlSongStore songs = new SqlSongStore(sql.apply(file), file, manifest.slots, manifest.songs);
            songs.checkAll(song -> database.start(song + 1) > database.start(song));
            return new Pack(database, songs);
        }

        /**
         * Checks that this pack can be searched together with another.
         *
         * @throws ArtifactException where they were made with different encoders, hops or windows
         */
        public void checkAlike(Pack other) throws ArtifactException {
            DatabaseManifest theirs = other.manifest;
            checkAlike("embedding_space", manifest.embeddingSpace, theirs.embeddingSpace, other);
            checkAlike("dim", manifest.dim, theirs.dim, other);
            checkAlike("hop_s", manifest.hopS, theirs.hopS, other);
            checkAlike("window_s", manifest.windowS, theirs.windowS, other);
        }

        private void checkAlike(String name, Object ours, Object theirs, Pack other) throws ArtifactException {
            if (!ours.equals(theirs)) {
                throw new ArtifactException(ArtifactException.Kind.MISMATCH, manifest.folder() + ": " + name + " is "
                        + ours + ", but " + other.manifest.folder().getFileName() + " has " + theirs
                        + "; packs that are searched together must be made alike: index its music again as the other's "
                        + "was, or switch the other off first");
            }
        }
    }

    private final Pack[] packs;
    private final int[] firstSong;
    private final long[] firstNumber;
    private final boolean[][] hidden;
    private final boolean[] hides;
    private final long fingerprints;

    /**
     * Joins packs; the first one's songs win where several hold the same recording.
     *
     * @throws ArtifactException when they were made with different encoders, hops or windows, or metadata cannot be read
     */
    public SongPacks(List<Pack> packs) throws ArtifactException {
        if (packs.isEmpty()) {
            throw new IllegalArgumentException("packs: expected at least one database, found none");
        }
        this.packs = packs.toArray(new Pack[0]);
        firstSong = new int[packs.size() + 1];
        firstNumber = new long[packs.size() + 1];
        hidden = new boolean[packs.size()][];
        hides = new boolean[packs.size()];
        Set<String> seen = new HashSet<>();
        long ofHidden = 0;
        for (int i = 0; i < this.packs.length; i++) {
            DatabaseManifest one = this.packs[i].manifest;
            this.packs[i].checkAlike(this.packs[0]);
            firstSong[i + 1] = Math.toIntExact(firstSong[i] + one.slots);
            firstNumber[i + 1] = firstNumber[i] + one.fingerprints;
            hidden[i] = new boolean[(int) one.slots];
            List<String> ids = new ArrayList<>();
            for (Map.Entry<Integer, String> song : this.packs[i].songs.trackIds().entrySet()) {
                int number = song.getKey();
                hidden[i][number] = seen.contains(song.getValue());
                hides[i] |= hidden[i][number];
                SongDatabase database = this.packs[i].database;
                ofHidden += hidden[i][number] ? database.start(number + 1) - database.start(number) : 0;
                ids.add(song.getValue());
            }
            seen.addAll(ids);
        }
        fingerprints = firstNumber[packs.size()] - ofHidden;
    }

    @Override
    public int dim() {
        return packs[0].manifest.dim;
    }

    @Override
    public double hopS() {
        return packs[0].manifest.hopS;
    }

    @Override
    public long fingerprints() {
        return fingerprints;
    }

    @Override
    public int slots() {
        return firstSong[packs.length];
    }

    @Override
    public long start(int song) {
        int pack = song == slots() ? packs.length - 1 : pack(song);
        return firstNumber[pack] + packs[pack].database.start(song - firstSong[pack]);
    }

    @Override
    public int songOf(long fingerprint) {
        int pack = packOf(fingerprint);
        return firstSong[pack] + packs[pack].database.songOf(fingerprint - firstNumber[pack]);
    }

    @Override
    public int pack(int song) {
        int found = Arrays.binarySearch(firstSong, song);
        return found >= 0 ? found : -found - 2; // a database without songs does not open: no two beginnings are equal
    }

    @Override
    public float[] rotate(int pack, float[] query) {
        return packs[pack].database.rotate(0, query);
    }

    @Override
    public float[] unrotate(int pack, float[] vector) {
        return packs[pack].database.unrotate(0, vector);
    }

    @Override
    public float[] decoded(long fingerprint) {
        int pack = packOf(fingerprint);
        return packs[pack].database.decoded(fingerprint - firstNumber[pack]);
    }

    @Override
    public boolean smooths(int pack) {
        return packs[pack].database.smooths(0);
    }

    @Override
    public float[] reference(int pack, float[] before, float[] own, float[] after) {
        return packs[pack].database.reference(0, before, own, after);
    }

    @Override
    public float[] cohortSimilarities(float[] query) {
        return packs[0].database.cohortSimilarities(query);
    }

    @Override
    public Neighbors nearest(float[][] queries, int neighbors, SearchOptions options) {
        long[][] numbers = new long[queries.length][0];
        float[][] similarities = new float[queries.length][0];
        int scanned = 0;
        for (int i = 0; i < packs.length; i++) {
            // Neighbors that must not show may not push out those that may: a copy has one for each of the original's.
            Neighbors found = packs[i].database.nearest(queries, hides[i] ? 2 * neighbors : neighbors, options);
            scanned += found.scanned;
            for (int q = 0; q < queries.length; q++) {
                int n = numbers[q].length;
                numbers[q] = Arrays.copyOf(numbers[q], n + found.fingerprints[q].length);
                similarities[q] = Arrays.copyOf(similarities[q], numbers[q].length);
                for (int k = 0; k < found.fingerprints[q].length; k++) {
                    long number = found.fingerprints[q][k];
                    boolean shown = number >= 0 && !(hides[i] && hidden[i][packs[i].database.songOf(number)]);
                    numbers[q][n + k] = shown ? number + firstNumber[i] : -1;
                    similarities[q][n + k] = shown ? found.similarities[q][k] : Float.NEGATIVE_INFINITY;
                }
            }
        }
        for (int q = 0; q < queries.length; q++) {
            int[] best = TopK.of(similarities[q], neighbors);
            long[] kept = new long[neighbors];
            float[] values = new float[neighbors];
            Arrays.fill(kept, -1);
            Arrays.fill(values, Float.NEGATIVE_INFINITY);
            for (int k = 0; k < best.length; k++) {
                kept[k] = numbers[q][best[k]];
                values[k] = similarities[q][best[k]];
            }
            numbers[q] = kept;
            similarities[q] = values;
        }
        return new Neighbors(numbers, similarities, scanned);
    }

    @Override
    public Track track(int song) throws ArtifactException {
        int pack = pack(song);
        return packs[pack].songs.track(song - firstSong[pack]);
    }

    @Override
    public List<Track> search(String words, int limit) throws ArtifactException {
        List<Track> found = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (Pack pack : packs) {
            for (Track track : pack.songs.search(words, limit)) {
                if (seen.add(track.trackId)) {
                    found.add(track);
                }
            }
        }
        Collections.sort(found, Track.BY_NAME);
        return found.size() <= limit ? found : new ArrayList<>(found.subList(0, limit));
    }

    private int packOf(long fingerprint) {
        int found = Arrays.binarySearch(firstNumber, fingerprint);
        return found >= 0 ? found : -found - 2;
    }
}
