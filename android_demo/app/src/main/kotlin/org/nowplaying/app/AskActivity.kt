package org.nowplaying.app

import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.Button
import android.widget.TextView

/** Asks what is playing, shows the level of the sound while it listens, and then the answer. */
class AskActivity : ObservingScreen() {
    private val permissions = Permissions(this)

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        showScreen(R.layout.ask)
        findViewById<LevelView>(R.id.level).source = { if (app.log.isQuerying) app.log.levelDbfs else null }
        findViewById<View>(R.id.again).setOnClickListener { ask() }
        if (state == null) {
            ask()
        }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        ask()
    }

    private fun ask() {
        if (!app.log.isQuerying) {
            permissions.withMicrophone { ListenService.start(this, ListenService.QUERY) }
        }
    }

    override fun show() {
        val log = app.log
        val track = log.answer?.track
        val level = findViewById<LevelView>(R.id.level)
        level.invalidate()
        val title = findViewById<TextView>(R.id.title)
        val below = findViewById<TextView>(R.id.artist)
        if (log.isQuerying) {
            title.setText(R.string.asking)
            below.setText(R.string.asking_help)
        } else if (track != null) {
            val (name, artist) = namesOf(track.title, track.artist)
            title.text = name
            below.text = artist
        } else if (log.answer != null) {
            title.setText(R.string.unknown)
            below.setText(R.string.answer_unknown)
        } else {
            title.setText(if (log.hasFailed) R.string.failed_title else R.string.ask)
            below.text = if (log.hasFailed) getString(R.string.failed_help) else ""
        }
        val open = findViewById<Button>(R.id.open)
        open.visibility = if (track != null && !log.isQuerying) View.VISIBLE else View.GONE
        open.setOnClickListener { track?.let { SongActivity.open(this, it.trackId) } }
        findViewById<View>(R.id.again).visibility = if (log.isQuerying) View.INVISIBLE else View.VISIBLE
    }

    override fun onRequestPermissionsResult(request: Int, names: Array<String>, results: IntArray) =
        permissions.onResult(request)
}
