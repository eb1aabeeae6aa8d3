package org.nowplaying.core.match;

import java.util.HashMap;
import java.util.Map;
import org.nowplaying.core.db.Songs;

/** The vectors of songs that queries are compared with; every fingerprint is decoded once (see {@code smoothing.py}). */
final class References {
    private final Songs database;
    private final Map<Long, float[]> decoded = new HashMap<>();

    References(Songs database) {
        this.database = database;
    }

    /** Returns the vector at a position of a song, in its pack's coordinates; null outside of the song and for silence. */
    float[] at(int song, long position) {
        float[] own = decoded(song, position);
        if (own == null) {
            return null;
        }
        int pack = database.pack(song);
        if (!database.smooths(pack)) {
            return database.reference(pack, null, own, null);
        }
        return database.reference(pack, decoded(song, position - 1), own, decoded(song, position + 1));
    }

    private float[] decoded(int song, long position) {
        long number = database.start(song) + position;
        if (position < 0 || number >= database.start(song + 1)) {
            return null;
        }
        if (!decoded.containsKey(number)) {
            decoded.put(number, database.decoded(number));
        }
        return decoded.get(number);
    }
}
