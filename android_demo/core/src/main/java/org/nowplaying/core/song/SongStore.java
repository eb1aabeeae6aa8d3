package org.nowplaying.core.song;

import java.util.List;
import org.nowplaying.core.artifact.ArtifactException;

/** The songs' metadata, by their number in a database. Every method may find that the file is damaged. */
public interface SongStore {
    /** Returns a song's metadata. */
    Track track(int song) throws ArtifactException;

    /** Returns the songs with a text in title, artist or album, by artist, album and title; all for an empty text. */
    List<Track> search(String text, int limit) throws ArtifactException;
}
