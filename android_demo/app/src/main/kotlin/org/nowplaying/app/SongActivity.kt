package org.nowplaying.app

import android.app.SearchManager
import android.content.ActivityNotFoundException
import android.content.ClipData
import android.content.ClipboardManager
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.provider.MediaStore
import android.text.format.DateUtils
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.TextView
import android.widget.Toast
import org.nowplaying.core.history.HistoryEntry

/** One song: when it was recognized and where in the song, and what to do with it. */
class SongActivity : ObservingScreen() {
    private val trackId by lazy { intent.data?.schemeSpecificPart.orEmpty() }
    private lateinit var newest: HistoryEntry
    private var names = Pair("", "")

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        title = ""
        showScreen(R.layout.song)
        findViewById<CoverView>(R.id.cover).trackId = trackId
        on(R.id.play) { play() }
        on(R.id.share) { startActivity(Intent.createChooser(sharing(), getString(R.string.share))) }
        on(R.id.copy) { copy() }
        on(R.id.favourite) {
            app.history.setFavourite(trackId, trackId !in app.history.favouriteIds())
            show()
        }
        on(R.id.delete) {
            app.history.ofTrack(trackId, Int.MAX_VALUE).forEach { app.history.delete(it.id) }
            SongWidget.update(this)
            finish()
        }
    }

    private fun on(view: Int, action: () -> Unit) = findViewById<View>(view).setOnClickListener { action() }

    override fun show() {
        val entries = app.history.ofTrack(trackId, MAX_TIMES)
        // A notification or a widget may still lead to a song that has been deleted.
        newest = entries.firstOrNull() ?: return finish()
        names = namesOf(newest.title, newest.artist)
        findViewById<TextView>(R.id.title).text = names.first
        findViewById<TextView>(R.id.artist).text = names.second
        findViewById<View>(R.id.play).visibility = if (newest.title.isEmpty()) View.GONE else View.VISIBLE
        val isFavourite = trackId in app.history.favouriteIds()
        findViewById<Button>(R.id.favourite).setText(if (isFavourite) R.string.remove_favourite else R.string.add_favourite)
        val times = findViewById<ViewGroup>(R.id.times)
        times.removeAllViews()
        entries.forEach { times.addView(line(it)) }
    }

    private fun line(entry: HistoryEntry): View {
        val line = TextView(this, null, 0, R.style.Wide_Text)
        val position = DateUtils.formatElapsedTime(maxOf(0, entry.offsetS.toLong()))
        line.text = getString(R.string.heard_line, whenText(entry.firstRecognizedMs), position)
        line.setPadding(0, line.lineHeight / 4, 0, line.lineHeight / 4)
        return line
    }

    private fun play() {
        val play = Intent(MediaStore.INTENT_ACTION_MEDIA_PLAY_FROM_SEARCH)
            .putExtra(MediaStore.EXTRA_MEDIA_FOCUS, "vnd.android.cursor.item/audio")
            .putExtra(MediaStore.EXTRA_MEDIA_TITLE, newest.title)
            .putExtra(SearchManager.QUERY, "${newest.title} ${newest.artist}".trim())
        if (newest.artist.isNotEmpty()) {
            play.putExtra(MediaStore.EXTRA_MEDIA_ARTIST, newest.artist)
        }
        try {
            startActivity(play)
        } catch (none: ActivityNotFoundException) {
            Toast.makeText(this, R.string.no_player, Toast.LENGTH_LONG).show()
        }
    }

    private fun text() = getString(R.string.share_text, names.first, names.second)

    private fun sharing() = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text())

    private fun copy() {
        getSystemService(ClipboardManager::class.java).setPrimaryClip(ClipData.newPlainText(names.first, text()))
        Toast.makeText(this, R.string.copied, Toast.LENGTH_SHORT).show()
    }

    companion object {
        private const val MAX_TIMES = 50

        /** The song is the intent's data, because Android takes intents that differ in extras only for the same. */
        fun intent(context: Context, trackId: String): Intent =
            Intent(context, SongActivity::class.java).setData(Uri.fromParts("track", trackId, null))

        fun open(context: Context, trackId: String) = context.startActivity(intent(context, trackId))
    }
}
