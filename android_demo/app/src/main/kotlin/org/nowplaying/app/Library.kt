package org.nowplaying.app

import android.content.Context
import java.io.IOException
import java.io.InputStream
import java.nio.file.Files
import java.nio.file.Path
import org.nowplaying.core.db.SongPacks
import org.nowplaying.core.detect.MusicDetector
import org.nowplaying.core.fingerprint.Fingerprinter
import org.nowplaying.core.loop.Recognizer
import org.nowplaying.core.model.ModelFolder
import org.nowplaying.core.pack.PackImport
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

    /** A pack as the list shows it, and opened unless it cannot be used. */
    private class Found(val pack: Pack, val opened: SongPacks.Pack?)

    /** The opened detector and recognizer; use them from one thread. */
    class Opened(
        val detector: MusicDetector,
        private val fingerprinter: Fingerprinter,
        val recognizer: Recognizer,
        /** Why packs that are switched on are not searched. */
        val errors: List<String>,
    ) {
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

    /** Returns all packs, those of the app first. Each is opened for it and its hashes are checked, so it takes a moment. */
    fun packs(): List<Pack> {
        install()
        return find().map { it.pack }
    }

    private fun find(): List<Found> {
        val fingerprinter = model()
        val space = spaceOf(fingerprinter)
        val dim = Fingerprinter.dimOf(fingerprinter)
        val folders = foldersIn(shipped.resolve("packs")) + foldersIn(added)
        var first: SongPacks.Pack? = null
        return folders.map { folder ->
            val isUsed = choice.getBoolean(keyOf(folder), true)
            var opened: SongPacks.Pack? = null
            var error: String? = null
            // One that is damaged, or made for the encoder of another version of the app, must not stop the others.
            try {
                val pack = SongPacks.Pack.open(folder, space, dim, ::PackSql)
                if (isUsed) {
                    first?.let { pack.checkAlike(it) }
                    first = first ?: pack
                }
                opened = pack
            } catch (unusable: IOException) {
                error = unusable.message
            }
            Found(describe(folder, isUsed, opened, error), opened)
        }
    }

    private fun foldersIn(parent: Path) =
        parent.toFile().listFiles().orEmpty().filter { it.name.endsWith(".npdb") }.sortedBy { it.name }.map { it.toPath() }

    private fun describe(folder: Path, isUsed: Boolean, opened: SongPacks.Pack?, error: String?): Pack {
        val name = folder.fileName.toString().removeSuffix(".npdb")
        val bytes = folder.toFile().listFiles().orEmpty().sumOf { it.length() }
        val manifest = opened?.manifest
        return Pack(folder, name, !folder.startsWith(added), isUsed, manifest?.songs ?: -1, manifest?.generation ?: 0, bytes, error)
    }

    /** Under which it is kept whether a pack is used: one of the app and an added one may have the same name. */
    private fun keyOf(folder: Path) = (if (folder.startsWith(added)) "use " else "use shipped ") + folder.fileName

    fun use(pack: Pack, isUsed: Boolean) {
        choice.edit().putBoolean(keyOf(pack.folder), isUsed).apply()
    }

    fun delete(pack: Pack) {
        PackImport.delete(pack.folder)
        // Otherwise one that is added under this name later would be off from the start.
        choice.edit().remove(keyOf(pack.folder)).apply()
    }

    /** Checks and installs a ZIP of a pack; one that cannot be searched together with those in use is refused. */
    fun add(zip: InputStream) {
        install()
        val fingerprinter = model()
        val inUse = find().filter { it.pack.isUsed }.mapNotNull { it.opened }
        val mostBytes = context.filesDir.usableSpace / 2
        PackImport.install(zip, added, spaceOf(fingerprinter), Fingerprinter.dimOf(fingerprinter), ::PackSql, inUse, mostBytes)
    }

    private fun model() = ModelFolder(shipped.resolve("models/fingerprinter"), "fingerprinter")

    private fun spaceOf(model: ModelFolder) = model.get("embedding_space").toString()

    /** Opens the packs in use, whose songs screens may list; one that cannot be used is left out, and [packs] says why. */
    fun songs(): SongPacks {
        install()
        return join(find())
    }

    private fun join(found: List<Found>): SongPacks {
        val used = found.filter { it.pack.isUsed }
        val opened = used.mapNotNull { it.opened }
        if (opened.isEmpty()) {
            throw IOException(used.firstNotNullOfOrNull { it.pack.error } ?: context.getString(R.string.no_packs))
        }
        return SongPacks(opened)
    }

    /** Opens models and packs. Hashes are checked first, so it takes a moment. */
    fun open(): Opened {
        install()
        val runtime = JavaRuntime()
        val detector = MusicDetector.open(ModelFolder(shipped.resolve("models/detector"), "detector"), runtime)
        val fingerprinter = Fingerprinter(model(), runtime)
        val found = find()
        val songs = join(found)
        val errors = found.filter { it.pack.isUsed }.mapNotNull { it.pack.error }
        return Opened(detector, fingerprinter, Recognizer(fingerprinter, songs, songs), errors)
    }
}
