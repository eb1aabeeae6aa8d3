package org.nowplaying.core.db;

/**
 * Songs that can be searched: one database, or several as one.
 *
 * <p>Vectors and queries are compared in the coordinates of the pack that a song lies in.
 */
public interface Songs {
    /** Returns the length of a fingerprint's vector. */
    int dim();

    /** Returns the seconds from one fingerprint of a song to the next. */
    double hopS();

    /** Returns the number of fingerprints of songs that can be found, silent ones included. */
    long fingerprints();

    /** Returns one more than the largest song number. */
    int slots();

    /** Returns where a song's fingerprints begin; the next song's beginning is their end. */
    long start(int song);

    /** Returns the song of a fingerprint. */
    int songOf(long fingerprint);

    /** Returns the pack of a song, from 0. */
    int pack(int song);

    /** Returns a query in the coordinates of a pack's vectors. */
    float[] rotate(int pack, float[] query);

    /** Returns a vector of a pack in the coordinates of queries that are not rotated. */
    float[] unrotate(int pack, float[] vector);

    /** Returns what the code of a fingerprint decodes to, in its pack's coordinates; null for silence. */
    float[] decoded(long fingerprint);

    /** Returns whether the neighbors in its song matter to the {@link #reference} of a pack's fingerprint. */
    boolean smooths(int pack);

    /** Returns what queries are compared with, from decoded vectors; null stands for a missing neighbor. */
    float[] reference(int pack, float[] before, float[] own, float[] after);

    /** Returns the similarities of a query, not rotated, to the vectors of the cohort. */
    float[] cohortSimilarities(float[] query);

    /** Returns the nearest fingerprints of each query. */
    Neighbors nearest(float[][] queries, int neighbors, SearchOptions options);
}
