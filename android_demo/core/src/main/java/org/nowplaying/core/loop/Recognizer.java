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
    static final int TURNED_HOPS = 2; // query hops between the windows of a query that is turned round
    static final double LEAST_LEAD = 0.03; // of its raw score, where the song is played backwards

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
        Match match = match(leveled.samples, leveled.silenceDbfs, fingerprinter.queryHopS);
        Match.Candidate best = match.best();
        return best == null || isBackwards(leveled, best)
                ? Answer.unknown(bufferS)
                : new Answer(store.track(best.song), best.offsetS, best.score, bufferS, match.threshold);
    }

    /** Returns whether the sound turned round fits the song better (see {@code match/direction.py} of the Python package). */
    private boolean isBackwards(Leveled leveled, Match.Candidate best) throws ArtifactException {
        int n = leveled.samples.length;
        float[] turned = new float[n];
        for (int i = 0; i < n; i++) {
            turned[i] = leveled.samples[n - 1 - i];
        }
        Match match = match(turned, leveled.silenceDbfs, TURNED_HOPS * fingerprinter.queryHopS);
        if (match.candidates.isEmpty()) {
            return false;
        }
        Match.Candidate found = match.candidates.get(0);
        boolean isSame = found.song == best.song || best.also.contains(found.song);
        return isSame && found.rawScore > best.rawScore + LEAST_LEAD;
    }

    private Match match(float[] samples, double silenceDbfs, double hopS) throws ArtifactException {
        float[][] embeddings = fingerprinter.embed(samples, silenceDbfs, hopS);
        return matcher.match(embeddings, hopS, fingerprinter.firstS(samples.length), new SearchOptions());
    }
}
