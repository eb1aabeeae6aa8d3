package org.nowplaying.app

import android.content.Context
import android.os.Handler
import android.os.Looper
import org.nowplaying.core.loop.Answer

/** What the app did and why, in memory; screens are told, on the main thread, whenever there is news. */
class Diary(context: Context) {
    class Line(val timeMs: Long, val text: String)

    private val main = Handler(Looper.getMainLooper())
    private val kept = context.getSharedPreferences("diary", Context.MODE_PRIVATE)
    private val lines = ArrayDeque<Line>()
    private val watchers = ArrayList<() -> Unit>()

    /** Whether the service runs, and why it does not listen then; null while it does. */
    @Volatile var isRunning = false
        private set

    @Volatile var pauseReason: String? = null
        private set

    @Volatile var isAsking = false
        private set

    /** To the newest question; null before. */
    @Volatile var answer: Answer? = null
        private set

    val lastListenedMs: Long
        get() = kept.getLong("last_listened_ms", 0)

    fun newestFirst(): List<Line> = synchronized(lines) { lines.toList() }

    fun note(text: String) {
        synchronized(lines) {
            lines.addFirst(Line(System.currentTimeMillis(), text))
            while (lines.size > MOST_LINES) {
                lines.removeLast()
            }
        }
        tell()
    }

    fun runs(running: Boolean) {
        isRunning = running
        pauseReason = null
        if (!running) {
            isAsking = false
            listened()
        }
        tell()
    }

    fun pauses(reason: String?) {
        if (reason != null && pauseReason == null) {
            listened()
        }
        pauseReason = reason
        tell()
    }

    fun asks() {
        isAsking = true
        answer = null
        tell()
    }

    fun answers(given: Answer?) {
        isAsking = false
        answer = given
        tell()
    }

    /** Notes that the microphone was open until now. */
    private fun listened() {
        kept.edit().putLong("last_listened_ms", System.currentTimeMillis()).apply()
    }

    fun watch(watcher: () -> Unit) {
        watchers.add(watcher)
        watcher()
    }

    fun unwatch(watcher: () -> Unit) {
        watchers.remove(watcher)
    }

    private fun tell() {
        main.post { watchers.toList().forEach { it() } }
    }

    private companion object {
        const val MOST_LINES = 200
    }
}
