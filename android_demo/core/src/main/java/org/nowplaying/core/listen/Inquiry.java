package org.nowplaying.core.listen;

import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.audio.MulawRing;
import org.nowplaying.core.frontend.MicroFrontend;
import org.nowplaying.core.loop.Answer;
import org.nowplaying.core.loop.Phone;

/** "What is this?": eight seconds from now, and a first try at half of them. Nobody asks whether it is music. */
final class Inquiry {
    private static final int FULL_SAMPLES = 8 * MicroFrontend.SAMPLE_RATE_HZ;

    private final Phone.Ear ear;
    private final MulawRing heard = new MulawRing(FULL_SAMPLES);
    private boolean tried;

    Inquiry(Phone.Ear ear) {
        this.ear = ear;
    }

    /** Takes samples in, and returns the answer as soon as there is one: a song, or unknown after eight seconds. */
    Answer feed(short[] samples, int length) throws ArtifactException {
        heard.write(samples, 0, length);
        if (!tried && heard.size() >= FULL_SAMPLES / 2) {
            tried = true;
            Answer first = ear.recognize(heard.read());
            if (first.track != null) {
                return first;
            }
        }
        return heard.size() == FULL_SAMPLES ? ear.recognize(heard.read()) : null;
    }
}
