package org.nowplaying.core.match;

import java.util.Collections;
import java.util.List;

/** The answer to one query. */
public final class Match {
    /** Songs that the query may be, best first, one entry a song. */
    public final List<Candidate> candidates;

    /** Of the first candidate; null where there is none. */
    public final Evidence evidence;

    public final double threshold;

    Match(List<Candidate> candidates, Evidence evidence, double threshold) {
        this.candidates = Collections.unmodifiableList(candidates);
        this.evidence = evidence;
        this.threshold = threshold;
    }

    /** Returns the song, or null for "unknown". */
    public Candidate best() {
        return !candidates.isEmpty() && candidates.get(0).score >= threshold ? candidates.get(0) : null;
    }

    /** One song that the query may be. */
    public static final class Candidate {
        public final int song;

        /** Reference time of the query's first sample, in seconds; negative when it began before the song. */
        public final double offsetS;

        /** Soft mean of the similarities along the alignment above those to the cohort. */
        public final double rawScore;

        /** Calibrated probability that this is the song. */
        public final double score;

        /** Songs that are the same music there, such as another encoding; of the first candidate only. */
        public final List<Integer> also;

        Candidate(Aligned aligned, double score, List<Integer> also) {
            this.also = Collections.unmodifiableList(also);
            song = aligned.song;
            offsetS = aligned.offsetS;
            rawScore = aligned.score;
            this.score = score;
        }
    }
}
