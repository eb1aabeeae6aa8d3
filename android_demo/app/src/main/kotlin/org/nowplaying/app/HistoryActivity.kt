package org.nowplaying.app

import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.os.Bundle
import android.text.format.DateUtils
import android.view.Menu
import android.view.MenuItem
import android.view.View
import android.widget.Button
import android.widget.EditText
import android.widget.ListView
import android.widget.TextView
import android.widget.Toast
import java.io.IOException
import java.util.TimeZone
import org.nowplaying.core.history.HeardSong
import org.nowplaying.core.history.HistoryExport

/** The first screen: what was heard, the switch, and the question. */
class HistoryActivity : NewsActivity() {
    private val permissions = Permissions(this)
    private val rows = Rows<HeardSong>(this) { lines(it) }
    private lateinit var search: EditText

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.history)
        search = findViewById(R.id.search)
        search.onChange { show() }
        val list = findViewById<ListView>(R.id.list)
        list.adapter = rows
        list.emptyView = findViewById(R.id.empty)
        list.setOnItemClickListener { _, _, position, _ -> choose(rows.items[position]) }
        findViewById<View>(R.id.listen).setOnClickListener { toggle() }
        findViewById<View>(R.id.ask).setOnClickListener {
            permissions.withMicrophone { ListenService.start(this, ListenService.ASK) }
        }
    }

    private fun toggle() {
        if (app.diary.isRunning) {
            ListenService.stop(this)
        } else {
            permissions.withMicrophone { ListenService.start(this, ListenService.LISTEN) }
        }
    }

    override fun show() {
        val diary = app.diary
        findViewById<Button>(R.id.listen).setText(if (diary.isRunning) R.string.stop else R.string.start)
        findViewById<View>(R.id.ask).isEnabled = !diary.isAsking
        val answer = if (diary.isAsking) getString(R.string.asking) else diary.answer?.let { answerText(it) }
        findViewById<TextView>(R.id.state).text = listOfNotNull(answer, stateText()).joinToString("\n")
        rows.items = app.history.search(search.text.toString(), MOST_ROWS)
    }

    private fun lines(song: HeardSong): Pair<String, String> {
        val (title, artist) = namesOf(song.title, song.artist)
        val time = DateUtils.getRelativeDateTimeString(
            this, song.lastHeardMs, DateUtils.MINUTE_IN_MILLIS, DateUtils.WEEK_IN_MILLIS, 0,
        )
        val times = resources.getQuantityString(R.plurals.times, song.recognitions, song.recognitions)
        val heard = getString(R.string.heard_line, time, times)
        return Pair(title, "$artist\n$heard")
    }

    private fun choose(song: HeardSong) {
        val (title, artist) = namesOf(song.title, song.artist)
        AlertDialog.Builder(this)
            .setTitle(title)
            .setMessage(artist)
            .setPositiveButton(R.string.share) { _, _ -> share(getString(R.string.share_text, title, artist)) }
            .setNegativeButton(R.string.delete) { _, _ ->
                app.history.delete(song.id)
                show()
            }
            .setNeutralButton(R.string.cancel, null)
            .show()
    }

    private fun share(text: String) {
        val send = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text)
        startActivity(Intent.createChooser(send, getString(R.string.share)))
    }

    override fun onCreateOptionsMenu(menu: Menu): Boolean {
        menuInflater.inflate(R.menu.history, menu)
        return true
    }

    override fun onOptionsItemSelected(item: MenuItem): Boolean {
        when (item.itemId) {
            R.id.menu_songs -> open(SongsActivity::class.java)
            R.id.menu_packs -> open(PacksActivity::class.java)
            R.id.menu_status -> open(StatusActivity::class.java)
            R.id.menu_settings -> open(SettingsActivity::class.java)
            R.id.menu_privacy -> open(PrivacyActivity::class.java)
            R.id.menu_export -> export()
            R.id.menu_delete_all -> deleteAll()
            else -> return super.onOptionsItemSelected(item)
        }
        return true
    }

    private fun open(screen: Class<out Activity>) = startActivity(Intent(this, screen))

    private fun export() {
        val create = Intent(Intent.ACTION_CREATE_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE)
        startActivityForResult(create.setType("text/csv").putExtra(Intent.EXTRA_TITLE, "history.csv"), EXPORT)
    }

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        super.onActivityResult(request, result, data)
        val place = data?.data
        if (request != EXPORT || result != RESULT_OK || place == null) {
            return
        }
        val table = HistoryExport.csv(app.history.search("", Int.MAX_VALUE), TimeZone.getDefault())
        val told = try {
            val output = contentResolver.openOutputStream(place) ?: throw IOException(place.toString())
            output.use { it.write(table.toByteArray()) }
            getString(R.string.exported)
        } catch (error: IOException) {
            getString(R.string.failed, error.message)
        }
        Toast.makeText(this, told, Toast.LENGTH_LONG).show()
    }

    private fun deleteAll() {
        AlertDialog.Builder(this)
            .setMessage(R.string.delete_question)
            .setPositiveButton(R.string.delete) { _, _ ->
                app.history.clear()
                show()
            }
            .setNegativeButton(R.string.cancel, null)
            .show()
    }

    override fun onRequestPermissionsResult(request: Int, names: Array<String>, results: IntArray) =
        permissions.onResult(request)

    private companion object {
        const val EXPORT = 1
        const val MOST_ROWS = 500
    }
}
