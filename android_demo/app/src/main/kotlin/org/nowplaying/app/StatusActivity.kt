package org.nowplaying.app

import android.content.Context
import android.os.Bundle
import android.text.format.DateUtils
import android.widget.ListView
import android.widget.TextView

/** Returns whether it listens now, and if not, why. */
fun Context.stateText(): String {
    val log = app.log
    val reason = if (log.isRunning) log.pauseReason else "stopped"
    return if (reason == null) getString(R.string.now_listening) else getString(R.string.now_not, reasonText(reason))
}

/** What the app does now, when it last listened, and its recent activity with reasons. */
class StatusActivity : ObservingActivity() {
    private val rows = Rows<ActivityLog.Entry>(this) { entry -> Pair(entry.text, timeText(entry.timeMs)) }

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.status)
        findViewById<ListView>(R.id.list).adapter = rows
    }

    override fun show() {
        val log = app.log
        findViewById<TextView>(R.id.state).text = stateText()
        val isListening = log.isRunning && log.pauseReason == null
        val lastMs = if (isListening) System.currentTimeMillis() else log.lastListenedMs
        val last = if (lastMs == 0L) getString(R.string.never) else timeText(lastMs)
        findViewById<TextView>(R.id.last).text = getString(R.string.last_listened, last)
        rows.items = log.newestFirst()
    }

    private fun timeText(timeMs: Long): String = DateUtils.formatDateTime(
        this, timeMs, DateUtils.FORMAT_SHOW_TIME or DateUtils.FORMAT_SHOW_DATE or DateUtils.FORMAT_ABBREV_ALL,
    )
}
