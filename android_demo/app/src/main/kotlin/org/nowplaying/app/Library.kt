package org.nowplaying.app

import android.content.Context
import java.io.IOException
import java.io.InputStream
import java.nio.file.Files
import java.nio.file.Path
import org.nowplaying.core.db.DatabaseManifest
import org.nowplaying.core.db.SongDatabase
import org.nowplaying.core.db.SongPacks
import org.nowplaying.core.detect.MusicDetector
import org.nowplaying.core.fingerprint.Fingerprinter
import org.nowplaying.core.loop.Recognizer
import org.nowplaying.core.model.ModelFolder
import org.nowplaying.core.pack.PackImport
import org.nowplaying.core.song.SqlSongStore
import org.nowplaying.core.tflite.JavaRuntime

/** Models and song packs: those that ship with the app, and those that the user added. */
class Library(private val context: Context) {
    private val shipped: Path = context.filesDir.toPath().resolve("shipped")
    private val added: Path = context.filesDir.toPath().resolve("packs")
    private val choice = context.getSharedPreferences("packs", Context.MODE_PRIVATE)

    /** One pack on this phone; [songs] is -1 and [error] gives the reason if it cannot be used. */
    class Pack(
        val folder: Path,
        val name: String,
        val isShipped: Boolean,
        val isUsed: Boolean,
        val songs: Int,
        val version: Int,
        val bytes: Long,
        val error: String?,
    )

    /** The opened detector and recognizer; use them from one thread. */
    class Opened(val detector: MusicDetector, private val fingerprinter: Fingerprinter, val recognizer: Recognizer) {
        fun close() {
            detector.close()
            fingerprinter.close()
        }
    }

    /** Copies the shipped models and packs out of the assets, once per version, because memory maps need files. */
    @Synchronized
    fun install() {
        val version = context.packageManager.getPackageInfo(context.packageName, 0).lastUpdateTime
        if (choice.getLong("shipped", 0) == version && Files.isDirectory(shipped)) {
            return
        }
        val fresh = context.filesDir.toPath().resolve("shipped.new")
        fresh.toFile().deleteRecursively()
        for (part in arrayOf("models", "packs")) {
            if (context.assets.list(part).orEmpty().isNotEmpty()) {
                copyAssets(part, fresh.resolve(part))
            }
        }
        shipped.toFile().deleteRecursively()
        Files.move(fresh, shipped)
        choice.edit().putLong("shipped", version).apply()
    }

    private fun copyAssets(from: String, to: Path) {
        val names = context.assets.list(from).orEmpty()
        if (names.isEmpty()) {
            Files.createDirectories(to.parent)
            context.assets.open(from).use { Files.copy(it, to) }
            return
        }
        Files.createDirectories(to)
        for (name in names) {
            copyAssets("$from/$name", to.resolve(name))
        }
    }

    /** Returns all packs, those of the app first. */
    fun packs(): List<Pack> {
        install()
        return packs(embeddingSpace())
    }

    private fun packs(space: String) = list(shipped.resolve("packs"), true, space) + list(added, false, space)

    private fun list(folder: Path, isShipped: Boolean, space: String): List<Pack> {
        val found = folder.toFile().listFiles().orEmpty().filter { it.name.endsWith(".npdb") }.sortedBy { it.name }
        return found.map { file ->
            var songs = -1
            var version = 0
            var error: String? = null
            try {
                val manifest = DatabaseManifest.read(file.toPath())
                // A new version of the app may bring another encoder: older packs must not stop the others.
                manifest.checkSpace(space)
                songs = manifest.songs
                version = manifest.generation
            } catch (unusable: IOException) {
                error = unusable.message
            }
            val bytes = file.listFiles().orEmpty().sumOf { it.length() }
            val name = file.name.removeSuffix(".npdb")
            Pack(file.toPath(), name, isShipped, choice.getBoolean("use " + file.name, true), songs, version, bytes, error)
        }
    }

    fun use(pack: Pack, isUsed: Boolean) {
        choice.edit().putBoolean("use " + pack.folder.fileName, isUsed).apply()
    }

    fun delete(pack: Pack) = PackImport.delete(pack.folder)

    /** Checks and installs a ZIP of a pack. */
    fun add(zip: InputStream) {
        install()
        val free = context.filesDir.usableSpace / 2
        PackImport.install(zip, added, embeddingSpace(), free)
    }

    private fun embeddingSpace(): String =
        ModelFolder(shipped.resolve("models/fingerprinter"), "fingerprinter").get("embedding_space").toString()

    /** Opens the packs in use, whose songs screens may list. */
    fun songs(): SongPacks {
        install()
        return songs(embeddingSpace())
    }

    private fun songs(space: String): SongPacks {
        val used = packs(space).filter { it.isUsed && it.error == null }
        if (used.isEmpty()) {
            throw IOException(context.getString(R.string.no_packs))
        }
        return SongPacks(
            used.map {
                val database = SongDatabase.open(it.folder, space)
                val manifest = database.manifest
                val file = manifest.file("songs")
                SongPacks.Pack(database, SqlSongStore(PackSql(file), file, manifest.slots, manifest.songs))
            },
        )
    }

    /** Opens models and packs. Hashes are checked first, so it takes a moment. */
    fun open(): Opened {
        install()
        val runtime = JavaRuntime()
        val detector = MusicDetector.open(ModelFolder(shipped.resolve("models/detector"), "detector"), runtime)
        val fingerprinter =
            Fingerprinter(ModelFolder(shipped.resolve("models/fingerprinter"), "fingerprinter"), runtime)
        val songs = songs(fingerprinter.embeddingSpace)
        return Opened(detector, fingerprinter, Recognizer(fingerprinter, songs, songs))
    }
}
