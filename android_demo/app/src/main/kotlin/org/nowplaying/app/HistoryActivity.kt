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
import org.nowplaying.core.history.HistoryEntry
import org.nowplaying.core.history.HistoryExport

/** The first screen: the history, the switch, and the query. */
class HistoryActivity : ObservingActivity() {
    private val permissions = Permissions(this)
    private val rows = Rows<HistoryEntry>(this) { lines(it) }
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
            permissions.withMicrophone { ListenService.start(this, ListenService.QUERY) }
        }
    }

    private fun toggle() {
        if (app.log.isRunning) {
            ListenService.stop(this)
        } else {
            permissions.withMicrophone { ListenService.start(this, ListenService.LISTEN) }
        }
    }

    override fun show() {
        val log = app.log
        findViewById<Button>(R.id.listen).setText(if (log.isRunning) R.string.stop else R.string.start)
        findViewById<View>(R.id.ask).isEnabled = !log.isQuerying
        val answer = if (log.isQuerying) getString(R.string.asking) else log.answer?.let { answerText(it) }
        findViewById<TextView>(R.id.state).text = listOfNotNull(answer, stateText()).joinToString("\n")
        rows.items = app.history.search(search.text.toString(), MAX_ROWS)
    }

    private fun lines(song: HistoryEntry): Pair<String, String> {
        val (title, artist) = namesOf(song.title, song.artist)
        val time = DateUtils.getRelativeDateTimeString(
            this, song.lastRecognizedMs, DateUtils.MINUTE_IN_MILLIS, DateUtils.WEEK_IN_MILLIS, 0,
        )
        val times = resources.getQuantityString(R.plurals.times, song.recognitions, song.recognitions)
        val recognized = getString(R.string.history_line, time, times)
        return Pair(title, "$artist\n$recognized")
    }

    private fun choose(song: HistoryEntry) {
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
        val uri = data?.data
        if (request != EXPORT || result != RESULT_OK || uri == null) {
            return
        }
        val table = HistoryExport.csv(app.history.search("", Int.MAX_VALUE), TimeZone.getDefault())
        val message = try {
            val output = contentResolver.openOutputStream(uri) ?: throw IOException(uri.toString())
            output.use { it.write(table.toByteArray()) }
            getString(R.string.exported)
        } catch (error: IOException) {
            getString(R.string.failed, error.message)
        }
        Toast.makeText(this, message, Toast.LENGTH_LONG).show()
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
        const val MAX_ROWS = 500
    }
}
