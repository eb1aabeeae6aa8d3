package org.nowplaying.core.artifact;

import java.io.IOException;
import java.nio.file.Path;

/** A model or database that must not be used, with the reason and what to do. */
public final class ArtifactException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Kinds of errors, as in the Python package. */
    public enum Kind {
        /** There is no database. */
        MISSING,
        /** A file differs from its manifest, or exceeds its bounds. */
        CORRUPT,
        /** Whole, but made for another encoder. */
        MISMATCH,
        /** Written by a newer release. */
        UNSUPPORTED_VERSION
    }

    private final Kind kind;

    public ArtifactException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }

    /** Returns the error of a damaged file. */
    public static ArtifactException corrupt(Path path, String reason) {
        return new ArtifactException(Kind.CORRUPT, path + ": " + reason + "; restore or rebuild it");
    }
}
