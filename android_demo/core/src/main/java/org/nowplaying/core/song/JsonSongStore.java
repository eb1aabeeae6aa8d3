package org.nowplaying.core.song;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.Json;

/** Metadata in JSON, for programs without SQLite: {@code {"songs": [{"song_index": 0, "track_id": ...}, ...]}}. */
public final class JsonSongStore implements SongStore {
    private final Path path;
    private final TreeMap<Integer, Track> tracks = new TreeMap<>();
    private final TreeMap<String, Integer> numbers = new TreeMap<>();

    /**
     * Reads a file.
     *
     * @param slots song numbers lie below
     * @param songs how many there must be
     * @throws ArtifactException where it cannot be read or holds something else
     */
    public JsonSongStore(Path path, long slots, int songs) throws ArtifactException {
        this.path = path;
        try {
            Object table = Json.parse(new String(Files.readAllBytes(path), StandardCharsets.UTF_8));
            Object list = table instanceof Map ? ((Map<?, ?>) table).get("songs") : null;
            for (Object one : list instanceof List ? (List<?>) list : Collections.emptyList()) {
                add(one, slots);
            }
        } catch (IOException | IllegalArgumentException error) {
            throw ArtifactException.corrupt(path, "expected a readable list of songs (" + error.getMessage() + ")");
        }
        if (tracks.size() != songs) {
            throw ArtifactException.corrupt(path, "expected " + songs + " songs, found " + tracks.size());
        }
    }

    private void add(Object one, long slots) {
        Map<?, ?> row = one instanceof Map ? (Map<?, ?>) one : Collections.emptyMap();
        Object number = row.get("song_index");
        boolean whole = number instanceof Json.Num && ((Json.Num) number).isWhole();
        long song = whole ? ((Json.Num) number).longValue() : -1;
        if (song < 0 || song >= Math.min(slots, Integer.MAX_VALUE)) {
            throw new IllegalArgumentException("song_index: expected a number below " + slots + ", found " + number);
        }
        Track track = new Track(
                row.get("track_id"), row.get("title"), row.get("artist"), row.get("album"), row.get("duration_s"),
                row.get("source"), row.get("external_ids"));
        tracks.put((int) song, track);
        numbers.put(track.trackId, (int) song);
    }

    @Override
    public Track track(int song) throws ArtifactException {
        Track found = tracks.get(song);
        if (found == null) {
            throw ArtifactException.corrupt(path, "no song has the number " + song);
        }
        return found;
    }

    @Override
    public int find(String trackId) {
        return numbers.getOrDefault(trackId, -1);
    }

    @Override
    public Map<Integer, String> trackIds() {
        Map<Integer, String> ids = new TreeMap<>();
        tracks.forEach((song, track) -> ids.put(song, track.trackId));
        return ids;
    }

    @Override
    public List<Track> search(String text, int limit) {
        String wanted = text.toLowerCase(Locale.ROOT);
        List<Track> found = new ArrayList<>();
        for (Track track : tracks.values()) {
            String all = track.title + "\n" + track.artist + "\n" + track.album;
            if (all.toLowerCase(Locale.ROOT).contains(wanted)) {
                found.add(track);
            }
        }
        found.sort(Track.BY_NAME);
        return found.subList(0, Math.min(limit, found.size()));
    }
}
