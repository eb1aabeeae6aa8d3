package org.nowplaying.core.loop;

import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.audio.Leveled;
import org.nowplaying.core.db.SearchOptions;
import org.nowplaying.core.db.Songs;
import org.nowplaying.core.fingerprint.Fingerprinter;
import org.nowplaying.core.match.Match;
import org.nowplaying.core.match.SongMatcher;
import org.nowplaying.core.song.SongStore;

/** From sound to a song: fingerprints, match, metadata. Not thread-safe, because the models share buffers. */
public final class Recognizer {
    private final Fingerprinter fingerprinter;
    private final SongMatcher matcher;
    private final SongStore store;

    /** The songs must have been opened with the fingerprinter's embedding space. */
    public Recognizer(Fingerprinter fingerprinter, Songs songs, SongStore store) {
        this.fingerprinter = fingerprinter;
        this.store = store;
        matcher = new SongMatcher(songs, fingerprinter.acceptance, store);
    }

    /**
     * Recognizes the song in a buffer of about eight seconds.
     *
     * @param samples 16 kHz mono, in [-1, 1]
     * @throws ArtifactException when the song's metadata cannot be read
     */
    public Answer recognize(float[] samples) throws ArtifactException {
        double bufferS = samples.length / (double) fingerprinter.sampleRateHz;
        Leveled leveled = Leveled.of(samples);
        float[][] embeddings = fingerprinter.embed(leveled.samples, leveled.silenceDbfs);
        double firstS = fingerprinter.firstS(leveled.samples.length);
        Match match = matcher.match(embeddings, fingerprinter.queryHopS, firstS, new SearchOptions());
        Match.Candidate best = match.best();
        return best == null
                ? Answer.unknown(bufferS)
                : new Answer(store.track(best.song), best.offsetS, best.score, bufferS, match.threshold);
    }
}
