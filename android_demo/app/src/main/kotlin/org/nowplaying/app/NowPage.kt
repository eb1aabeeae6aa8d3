package org.nowplaying.app

import android.view.View
import android.widget.Button
import android.widget.TextView

/** Whether it listens and why not if not, the last song, and the question. */
class NowPage(screen: MainActivity) : MainActivity.Page(screen, R.layout.page_now) {
    init {
        view.findViewById<View>(R.id.listen).setOnClickListener { toggle() }
        view.findViewById<View>(R.id.ask).setOnClickListener { screen.open(AskActivity::class.java) }
    }

    private fun toggle() {
        if (screen.app.log.isRunning) {
            ListenService.stop(screen)
        } else {
            screen.permissions.withMicrophone { ListenService.start(screen, ListenService.LISTEN) }
        }
    }

    override fun show() {
        val log = screen.app.log
        val isListening = log.isRunning && log.pauseReason == null
        view.findViewById<View>(R.id.state_card).setBackgroundResource(if (isListening) R.drawable.card_primary else R.drawable.card)
        val ink = screen.getColor(if (isListening) R.color.on_primary_container else R.color.on_surface)
        val state = view.findViewById<TextView>(R.id.state)
        state.setText(if (isListening) R.string.listening else if (log.isRunning) R.string.paused else R.string.off)
        state.setTextColor(ink)
        val reason = view.findViewById<TextView>(R.id.reason)
        reason.text = if (isListening) screen.getString(R.string.listening_help) else screen.stateText()
        reason.setTextColor(ink)
        view.findViewById<Button>(R.id.listen).setText(if (log.isRunning) R.string.stop else R.string.start)
        showLast()
    }

    private fun showLast() {
        val last = screen.app.history.last()
        for (part in intArrayOf(R.id.last, R.id.last_label)) {
            view.findViewById<View>(part).visibility = if (last == null) View.GONE else View.VISIBLE
        }
        view.findViewById<View>(R.id.empty).visibility = if (last == null) View.VISIBLE else View.GONE
        if (last == null) {
            return
        }
        val (title, artist) = screen.namesOf(last.title, last.artist)
        view.findViewById<CoverView>(R.id.cover).trackId = last.trackId
        view.findViewById<TextView>(R.id.title).text = title
        view.findViewById<TextView>(R.id.artist).text = artist
        view.findViewById<TextView>(R.id.time).text = screen.whenText(last.lastRecognizedMs)
        view.findViewById<View>(R.id.last).setOnClickListener { SongActivity.open(screen, last.trackId) }
    }
}
