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

    val lastListenedMs: Long
        get() = stored.getLong("last_listened_ms", 0)

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
            noteListened()
        }
        notifyWatchers()
    }

    fun setPauseReason(reason: String?) {
        if (reason != null && pauseReason == null) {
            noteListened()
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

    fun queryEnded(result: Answer?) {
        hasFailed = result == null && (isQuerying || hasFailed)
        isQuerying = false
        answer = result
        notifyWatchers()
    }

    /** Stores that the microphone was open until now. */
    private fun noteListened() {
        stored.edit().putLong("last_listened_ms", System.currentTimeMillis()).apply()
    }

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
