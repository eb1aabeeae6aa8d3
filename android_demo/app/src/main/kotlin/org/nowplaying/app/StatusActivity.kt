package org.nowplaying.app

import android.content.Context
import android.os.Bundle
import android.widget.ListView
import android.widget.TextView

/** Returns whether it listens now, and if not, why. */
fun Context.stateText(): String {
    val log = app.log
    val reason = if (log.isRunning) log.pauseReason else "stopped"
    return if (reason == null) getString(R.string.now_listening) else getString(R.string.now_not, reasonText(reason))
}

/** What the app does now, when it last listened, and its recent activity with reasons. */
class StatusActivity : ObservingScreen() {
    private val rows = Rows(this)

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        showScreen(R.layout.status)
        findViewById<ListView>(R.id.list).adapter = rows
    }

    override fun show() {
        val log = app.log
        findViewById<TextView>(R.id.state).text = stateText()
        val last = if (log.lastListenedMs == 0L) getString(R.string.never) else whenText(log.lastListenedMs)
        findViewById<TextView>(R.id.last).text = getString(R.string.last_listened, last)
        rows.items = log.newestFirst().map { Row(it.text, whenText(it.timeMs)) }
    }
}
