package org.nowplaying.core.listen;

import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.audio.MulawRing;
import org.nowplaying.core.frontend.MicroFrontend;
import org.nowplaying.core.loop.Answer;
import org.nowplaying.core.loop.Phone;

/** A request to recognize the next eight seconds, whatever the detector says; a first attempt is made after four. */
final class OneShotQuery {
    private static final int FULL_SAMPLES = 8 * MicroFrontend.SAMPLE_RATE_HZ;

    private final Phone.SongRecognizer recognizer;
    private final MulawRing ring = new MulawRing(FULL_SAMPLES);
    private boolean tried;

    OneShotQuery(Phone.SongRecognizer recognizer) {
        this.recognizer = recognizer;
    }

    /** Returns the answer as soon as there is one: a song, or unknown after eight seconds; null before. */
    Answer feed(short[] samples, int length) throws ArtifactException {
        ring.write(samples, 0, length);
        if (!tried && ring.size() >= FULL_SAMPLES / 2) {
            tried = true;
            Answer first = recognizer.recognize(ring.read());
            if (first.track != null) {
                return first;
            }
        }
        return ring.size() == FULL_SAMPLES ? recognizer.recognize(ring.read()) : null;
    }
}
