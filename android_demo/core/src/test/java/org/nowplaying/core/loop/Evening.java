package org.nowplaying.core.loop;

import java.io.IOException;
import org.nowplaying.core.Golden;
import org.nowplaying.core.JdbcSql;
import org.nowplaying.core.db.SongDatabase;
import org.nowplaying.core.detect.MusicDetector;
import org.nowplaying.core.fingerprint.Fingerprinter;
import org.nowplaying.core.model.ModelFolder;
import org.nowplaying.core.song.SqlSongStore;
import org.nowplaying.core.tflite.JavaRuntime;

/** Six minutes of sound, with the shipped models and the demo's songs. */
public final class Evening {
    public final MusicDetector detector;
    public final Recognizer recognizer;
    public final short[] pcm;

    public Evening() throws IOException {
        JavaRuntime runtime = new JavaRuntime();
        detector = MusicDetector.open(new ModelFolder(Golden.path("models/detector"), "detector"), runtime);
        Fingerprinter fingerprinter = new Fingerprinter(
                new ModelFolder(Golden.path("models/fingerprinter"), "fingerprinter"), runtime);
        SongDatabase database = SongDatabase.open(Golden.path("demo.npdb"), fingerprinter.embeddingSpace, fingerprinter.dim);
        SqlSongStore store = new SqlSongStore(JdbcSql.reader(database.manifest.file("songs")),
                database.manifest.file("songs"), database.manifest.slots, database.manifest.songs);
        recognizer = new Recognizer(fingerprinter, database, store);
        pcm = Golden.shorts("phone-pcm.npy");
    }
}
