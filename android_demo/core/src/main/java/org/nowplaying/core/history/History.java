package org.nowplaying.core.history;

import java.util.List;
import org.nowplaying.core.loop.Answer;

/** The recognized songs; a song that is recognized again soon afterwards stays one entry. */
public final class History {
    /** The same song within this time of its last recognition counts as the same entry. */
    public static final long MERGE_WITHIN_MS = 600_000;

    private final Store store;

    /** Where entries are kept: SQLite on a phone. */
    public interface Store {
        /** Returns the newest entry by its last recognition, or null. */
        HistoryEntry last();

        /** Adds an entry, and returns it with its id. */
        HistoryEntry insert(HistoryEntry song);

        /** Replaces the entry with the same id. */
        void update(HistoryEntry song);

        /** Returns the entries with a text in title or artist, newest first; all for an empty text. */
        List<HistoryEntry> search(String text, int limit);

        void delete(long id);

        void clear();
    }

    public History(Store store) {
        this.store = store;
    }

    /**
     * Adds a recognition, or extends the newest entry if that is the same song.
     *
     * @return the new or changed entry
     */
    public HistoryEntry add(Answer answer, long timeMs) {
        HistoryEntry last = store.last();
        boolean same = last != null && last.trackId.equals(answer.track.trackId);
        if (same && timeMs - last.lastRecognizedMs <= MERGE_WITHIN_MS) {
            HistoryEntry again = last.recognizedAgain(timeMs, answer.score);
            store.update(again);
            return again;
        }
        return store.insert(new HistoryEntry(0, answer.track.trackId, answer.track.title, answer.track.artist, timeMs,
                timeMs, answer.offsetS, answer.score, 1));
    }
}
