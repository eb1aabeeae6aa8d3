package org.nowplaying.core.history;

import java.util.List;
import org.nowplaying.core.loop.Answer;

/** The songs that were heard; a song recognized again soon after itself stays one entry. */
public final class History {
    /** The same song again within this time of its last recognition is the same hearing. */
    public static final long MERGE_WITHIN_MS = 600_000;

    private final Store store;

    /** Where entries are kept: SQLite on a phone. */
    public interface Store {
        /** Returns the newest entry by its last recognition, or null. */
        HeardSong last();

        /** Adds an entry, and returns it with its id. */
        HeardSong insert(HeardSong song);

        /** Replaces the entry with the same id. */
        void update(HeardSong song);

        /** Returns the entries with a text in title or artist, newest first; all for an empty text. */
        List<HeardSong> search(String text, int most);

        void delete(long id);

        void clear();
    }

    public History(Store store) {
        this.store = store;
    }

    /**
     * Adds a recognition, or notes it on the newest entry when that is the same song heard just before.
     *
     * @return the new or changed entry
     */
    public HeardSong add(Answer answer, long timeMs) {
        HeardSong last = store.last();
        boolean same = last != null && last.trackId.equals(answer.track.trackId);
        if (same && timeMs - last.lastHeardMs <= MERGE_WITHIN_MS) {
            HeardSong again = last.again(timeMs, answer.score);
            store.update(again);
            return again;
        }
        return store.insert(new HeardSong(0, answer.track.trackId, answer.track.title, answer.track.artist, timeMs,
                timeMs, answer.offsetS, answer.score, 1));
    }
}
