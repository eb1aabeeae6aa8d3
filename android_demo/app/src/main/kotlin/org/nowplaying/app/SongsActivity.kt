package org.nowplaying.app

import android.os.Bundle
import android.view.View
import android.widget.EditText
import android.widget.ListView
import android.widget.TextView
import java.io.IOException
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
import org.nowplaying.core.db.SongPacks
import org.nowplaying.core.song.Track

/** The songs that this phone can recognize. */
class SongsActivity : Screen() {
    private val rows = Rows(this)
    private lateinit var worker: ExecutorService
    private lateinit var empty: TextView
    private var packs: SongPacks? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        showScreen(R.layout.list)
        findViewById<View>(R.id.help).visibility = View.GONE
        findViewById<View>(R.id.add).visibility = View.GONE
        worker = Executors.newSingleThreadExecutor()
        empty = findViewById(R.id.empty)
        val list = findViewById<ListView>(R.id.list)
        list.adapter = rows
        list.emptyView = empty
        findViewById<EditText>(R.id.search).onChange { show(it) }
        show("")
    }

    override fun onDestroy() {
        worker.shutdownNow()
        super.onDestroy()
    }

    private fun show(text: String) {
        worker.execute {
            try {
                val opened = packs ?: app.library.songs().also { packs = it }
                val found = opened.search(text, MAX_ROWS)
                runOnUiThread { rows.items = found.map { row(it) } }
            } catch (error: IOException) {
                runOnUiThread { empty.text = getString(R.string.failed, error.message) }
            } catch (error: IllegalArgumentException) {
                runOnUiThread { empty.text = getString(R.string.failed, error.message) }
            }
        }
    }

    private fun row(track: Track): Row {
        val (title, artist) = namesOf(track.title, track.artist)
        return Row(title, if (track.album.isEmpty()) artist else "$artist · ${track.album}", cover = track.trackId)
    }

    private companion object {
        const val MAX_ROWS = 300
    }
}
