package org.nowplaying.app

import android.content.Context
import android.os.Handler
import android.os.Looper
import org.nowplaying.core.audio.Level
import org.nowplaying.core.loop.Answer

/** Record of the app's activity, in memory; observers are called on the main thread whenever it changes. */
class ActivityLog(context: Context) {
    class Entry(val timeMs: Long, val text: String)

    private val main = Handler(Looper.getMainLooper())
    private val stored = context.getSharedPreferences("log", Context.MODE_PRIVATE)
    private val entries = ArrayDeque<Entry>()
    private val watchers = ArrayList<() -> Unit>()

    /** Whether the service runs, and why it does not listen then; null while it does. */
    @Volatile var isRunning = false
        private set

    @Volatile var pauseReason: String? = null
        private set

    @Volatile var isQuerying = false
        private set

    /** Answer to the newest query; null before. */
    @Volatile var answer: Answer? = null
        private set

    /** Whether the newest query ended without an answer. */
    @Volatile var hasFailed = false
        private set

    /** Level of the newest sound, in dBFS; it changes too often for the watchers. */
    @Volatile var levelDbfs = Level.SILENCE_DBFS
        private set

    /** When the microphone was last open; 0 for never. */
    @Volatile var lastListenedMs = stored.getLong("last_listened_ms", 0)
        private set

    fun newestFirst(): List<Entry> = synchronized(entries) { entries.toList() }

    fun add(text: String) {
        synchronized(entries) {
            entries.addFirst(Entry(System.currentTimeMillis(), text))
            while (entries.size > MAX_ENTRIES) {
                entries.removeLast()
            }
        }
        notifyWatchers()
    }

    fun setRunning(running: Boolean) {
        isRunning = running
        pauseReason = null
        if (!running) {
            isQuerying = false
            storeLastListened()
        }
        notifyWatchers()
    }

    fun setPauseReason(reason: String?) {
        if (reason != null && pauseReason == null) {
            storeLastListened()
        }
        pauseReason = reason
        notifyWatchers()
    }

    fun queryStarted() {
        isQuerying = true
        answer = null
        hasFailed = false
        levelDbfs = Level.SILENCE_DBFS
        notifyWatchers()
    }

    /** Ends a query with its answer, or with null where there is none; without a query it does nothing. */
    fun queryEnded(result: Answer?) {
        if (!isQuerying) {
            return
        }
        hasFailed = result == null
        answer = result
        isQuerying = false
        notifyWatchers()
    }

    /** Takes the level of sound from the open microphone, in dBFS. */
    fun takeLevel(dbfs: Double) {
        levelDbfs = dbfs
        lastListenedMs = System.currentTimeMillis()
    }

    private fun storeLastListened() = stored.edit().putLong("last_listened_ms", lastListenedMs).apply()

    fun watch(watcher: () -> Unit) {
        watchers.add(watcher)
        watcher()
    }

    fun unwatch(watcher: () -> Unit) {
        watchers.remove(watcher)
    }

    private fun notifyWatchers() {
        main.post { watchers.toList().forEach { it() } }
    }

    private companion object {
        const val MAX_ENTRIES = 200
    }
}
