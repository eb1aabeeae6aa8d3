package org.nowplaying.core.fingerprint;

import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.model.ModelFolder;

/**
 * How far windows reach beyond a short query's ends, where it is taken for silent; a long one has windows enough without (see
 * {@code overhang.py} of the Python package).
 */
final class QueryOverhang {
    private static final double MOST_OF_A_WINDOW = 0.5;
    private static final String LENGTH = "query_overhang_s";
    private static final String BELOW = "query_overhang_below_s";

    private final double lengthS;
    private final double belowS;

    /**
     * Reads the manifest of a fingerprinter; one without the entries has no overhang.
     *
     * @throws ArtifactException when an entry is no number, or more than half a window would lie beyond the query
     */
    QueryOverhang(ModelFolder folder, double windowS) throws ArtifactException {
        lengthS = seconds(folder, LENGTH, 0);
        belowS = seconds(folder, BELOW, Double.POSITIVE_INFINITY);
        if (!(lengthS >= 0 && lengthS <= MOST_OF_A_WINDOW * windowS && belowS > 0)) {
            throw corrupt(folder, "expected " + LENGTH + " from 0 to half of the " + windowS + " s of a window and " + BELOW
                    + " above 0, found " + lengthS + " and " + belowS);
        }
    }

    /** Returns the overhang at each end of a query of so many seconds. */
    double secondsFor(double queryS) {
        return queryS < belowS ? lengthS : 0;
    }

    private static ArtifactException corrupt(ModelFolder folder, String what) {
        return new ArtifactException(
                ArtifactException.Kind.CORRUPT, folder.name() + ": " + what + "; export the model again");
    }

    private static double seconds(ModelFolder folder, String name, double otherwise) throws ArtifactException {
        Object value = folder.get(name);
        if (value != null && !(value instanceof Number)) {
            throw corrupt(folder, name + ": expected seconds, found " + value);
        }
        return value == null ? otherwise : ((Number) value).doubleValue();
    }
}
