package org.nowplaying.core.match;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.db.Songs;
import org.nowplaying.core.song.SongStore;
import org.nowplaying.core.song.Track;

/** Songs that are the same music at the same place are one answer and do not compete (see {@code same_music.py}). */
final class SameMusic {
    private static final double LEAST_AGREEMENT = 0.75;
    private static final double AROUND_S = 4.0;
    private static final double SCORE_WINDOW = 0.15;
    private static final int MOST_ALIGNMENTS = 48;

    private SameMusic() {}

    /** Returns the alignments of the songs that are the first one's music at its place: one a song, its own first. */
    static List<Aligned> among(Songs database, References vectors, List<Aligned> aligned, double[] timesS) {
        Aligned best = aligned.get(0);
        List<Aligned> near = new ArrayList<>();
        for (Aligned one : aligned) {
            if (one.song != best.song && one.score >= best.score - SCORE_WINDOW && near.size() < MOST_ALIGNMENTS) {
                near.add(one);
            }
        }
        List<Aligned> same = new ArrayList<>();
        same.add(best);
        if (near.isEmpty()) {
            return same;
        }
        double hopS = database.hopS();
        long first = Math.max((long) Math.floor((best.offsetS + timesS[0] - AROUND_S) / hopS), 0);
        long last = (long) Math.ceil((best.offsetS + timesS[timesS.length - 1] + AROUND_S) / hopS);
        last = Math.min(last, database.start(best.song + 1) - database.start(best.song) - 1);
        List<float[]> own = new ArrayList<>();
        List<Double> ownS = new ArrayList<>();
        for (long position = first; position <= last; position++) {
            float[] vector = vectors.at(best.song, position);
            if (vector != null) {
                own.add(database.unrotate(database.pack(best.song), vector));
                ownS.add(position * hopS);
            }
        }
        if (own.isEmpty()) {
            return same;
        }
        double[] sinceS = ownS.stream().mapToDouble(one -> one - ownS.get(0)).toArray();
        int[] songs = near.stream().mapToInt(one -> one.song).toArray();
        double[] offsetsS = near.stream().mapToDouble(one -> one.offsetS - best.offsetS + ownS.get(0)).toArray();
        float[][] stretch = own.toArray(new float[0][]);
        Rescorer rescorer = new Rescorer(database, vectors, stretch, new double[own.size()], sinceS);
        Set<Integer> agreeing = new HashSet<>();
        for (Aligned rescored : rescorer.rescore(new Alignments(songs, offsetsS))) {
            // What a song does not cover counts as zero in these similarities, and is left out of their mean.
            double mean = Arrays.stream(rescored.similarities).sum() / Math.max(rescored.covered, 1);
            if (2 * rescored.covered >= own.size() && mean >= LEAST_AGREEMENT) {
                agreeing.add(rescored.song);
            }
        }
        for (Aligned one : near) {
            if (agreeing.remove(one.song)) {
                same.add(one);
            }
        }
        return same;
    }

    /** Returns the same songs with the one to name first: of those that fit as well, the one whose tags say more. */
    static List<Aligned> preferredFirst(List<Aligned> same, SongStore store, double scoreScale) throws ArtifactException {
        if (same.size() == 1) {
            return same;
        }
        int[] quality = new int[same.size()];
        for (int i = 0; store != null && i < quality.length; i++) {
            quality[i] = tagQuality(store.track(same.get(i).song));
        }
        double least = same.get(0).score - scoreScale;
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < quality.length; i++) {
            order.add(i);
        }
        order.sort((a, b) -> {
            int near = Boolean.compare(same.get(b).score >= least, same.get(a).score >= least);
            int tags = near != 0 ? near : Integer.compare(quality[b], quality[a]);
            return tags != 0 ? tags : Integer.compare(same.get(a).song, same.get(b).song);
        });
        List<Aligned> sorted = new ArrayList<>();
        for (int i : order) {
            sorted.add(same.get(i));
        }
        return sorted;
    }

    private static int tagQuality(Track track) {
        String name = track.source.replace('\\', '/');
        name = name.substring(name.lastIndexOf('/') + 1);
        String stem = name.lastIndexOf('.') > 0 ? name.substring(0, name.lastIndexOf('.')) : name;
        boolean hasTitle = !track.title.isEmpty() && !track.title.equals(stem);
        return (hasTitle ? 2 : 0) + (track.artist.isEmpty() ? 0 : 2) + (track.album.isEmpty() ? 0 : 1)
                + (track.externalIds.isEmpty() ? 0 : 1);
    }
}
