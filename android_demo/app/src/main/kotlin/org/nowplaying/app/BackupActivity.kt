package org.nowplaying.app

import android.app.AlertDialog
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.view.View
import java.io.IOException
import java.util.TimeZone
import org.nowplaying.core.history.HistoryBackup
import org.nowplaying.core.history.HistoryExport

/** The history as a file: a backup that can be restored, a table, and deletion. */
class BackupActivity : Screen() {
    private val rows = Rows(this)

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        showScreen(R.layout.list)
        for (part in intArrayOf(R.id.search, R.id.help, R.id.add, R.id.empty)) {
            findViewById<View>(part).visibility = View.GONE
        }
        rows.fill(findViewById(R.id.list))
        rows.items = listOf(
            row(R.string.backup_save, R.string.backup_save_help, R.drawable.ic_backup) { create("application/json", "history.json", SAVE) },
            row(R.string.backup_restore, R.string.backup_restore_help, R.drawable.ic_restore) { restore() },
            row(R.string.export, R.string.export_help, R.drawable.ic_table) { create("text/csv", "history.csv", EXPORT) },
            Row(getString(R.string.delete_all), "", icon = R.drawable.ic_delete) { deleteAll() },
        )
    }

    private fun row(name: Int, help: Int, icon: Int, action: () -> Unit) =
        Row(getString(name), getString(help), icon = icon, open = action)

    private fun create(type: String, name: String, request: Int) {
        val create = Intent(Intent.ACTION_CREATE_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE)
        startActivityForResult(create.setType(type).putExtra(Intent.EXTRA_TITLE, name), request)
    }

    private fun restore() {
        val open = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE)
        // Not every app that keeps files knows the type of JSON.
        startActivityForResult(open.setType("*/*"), RESTORE)
    }

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        super.onActivityResult(request, result, data)
        val uri = data?.data
        if (result != RESULT_OK || uri == null) {
            return
        }
        work {
            when (request) {
                SAVE -> write(uri, HistoryBackup.write(app.history))
                EXPORT -> write(uri, HistoryExport.csv(app.history.search("", Int.MAX_VALUE), TimeZone.getDefault()))
                else -> read(uri)
            }
        }
    }

    private fun write(uri: Uri, text: String): String {
        val output = contentResolver.openOutputStream(uri, "wt") ?: throw IOException(uri.toString())
        output.use { it.write(text.toByteArray()) }
        return getString(R.string.exported)
    }

    private fun read(uri: Uri): String {
        val input = contentResolver.openInputStream(uri) ?: throw IOException(uri.toString())
        val text = input.use { stream ->
            val bytes = ByteArray(MAX_BYTES)
            var n = 0
            while (true) {
                val read = stream.read(bytes, n, bytes.size - n)
                if (read <= 0) break
                n += read
            }
            if (n == MAX_BYTES) throw IOException("expected less than $MAX_BYTES bytes")
            String(bytes, 0, n, Charsets.UTF_8)
        }
        val added = HistoryBackup.read(text).mergeInto(app.history)
        SongWidget.update(this)
        return resources.getQuantityString(R.plurals.restored, added, added)
    }

    private fun deleteAll() {
        AlertDialog.Builder(this)
            .setMessage(R.string.delete_question)
            .setPositiveButton(R.string.delete) { _, _ ->
                app.history.clear()
                app.usage.clear()
                Notifier(this).hideSong()
                SongWidget.update(this)
            }
            .setNegativeButton(R.string.cancel, null)
            .show()
    }

    private companion object {
        const val SAVE = 1
        const val EXPORT = 2
        const val RESTORE = 3
        const val MAX_BYTES = 20_000_000
    }
}
