package org.nowplaying.app

import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.os.Bundle
import android.text.format.Formatter
import android.view.View
import android.widget.ListView
import android.widget.Toast
import java.io.IOException
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/** Song packs: list, add, enable, delete. */
class PacksActivity : Activity() {
    private val rows = Rows<Library.Pack>(this) { lines(it) }
    private lateinit var worker: ExecutorService

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.packs)
        worker = Executors.newSingleThreadExecutor()
        val list = findViewById<ListView>(R.id.list)
        list.adapter = rows
        list.setOnItemClickListener { _, _, position, _ -> choose(rows.items[position]) }
        findViewById<View>(R.id.add).setOnClickListener {
            val open = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE)
            startActivityForResult(open.setType("application/zip"), ADD)
        }
        show()
    }

    override fun onDestroy() {
        worker.shutdownNow()
        super.onDestroy()
    }

    private fun show() = work { app.library.packs().also { found -> runOnUiThread { rows.items = found } } }

    private fun lines(pack: Library.Pack): Pair<String, String> {
        val name = if (pack.isUsed) getString(R.string.pack_use, pack.name) else pack.name
        val size = Formatter.formatFileSize(this, pack.bytes)
        val line = when {
            pack.error != null -> getString(R.string.pack_damaged, pack.error)
            pack.isShipped -> getString(R.string.pack_shipped, pack.songs, size)
            else -> getString(R.string.pack_line, pack.songs, size)
        }
        return Pair(name, line)
    }

    private fun choose(pack: Library.Pack) {
        val dialog = AlertDialog.Builder(this)
        dialog.setMultiChoiceItems(
            arrayOf(getString(R.string.pack_use, pack.name)), booleanArrayOf(pack.isUsed),
        ) { _, _, isUsed ->
            app.library.use(pack, isUsed)
            show()
        }
        dialog.setPositiveButton(R.string.go_on, null)
        if (!pack.isShipped) {
            dialog.setNegativeButton(R.string.delete) { _, _ -> askToDelete(pack) }
        }
        dialog.show()
    }

    private fun askToDelete(pack: Library.Pack) {
        AlertDialog.Builder(this)
            .setMessage(getString(R.string.pack_delete_question, pack.name))
            .setPositiveButton(R.string.delete) { _, _ ->
                work { app.library.delete(pack) }
                show()
            }
            .setNegativeButton(R.string.cancel, null)
            .show()
    }

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        super.onActivityResult(request, result, data)
        val uri = data?.data
        if (request != ADD || result != RESULT_OK || uri == null) {
            return
        }
        work {
            val input = contentResolver.openInputStream(uri) ?: throw IOException(uri.toString())
            input.use { app.library.add(it) }
            showMessage(getString(R.string.pack_added))
        }
        show()
    }

    /** Runs a task in the background, and shows its error. */
    private fun work(task: () -> Unit) = worker.execute {
        try {
            task()
        } catch (error: IOException) {
            showMessage(getString(R.string.failed, error.message))
        }
    }

    private fun showMessage(text: String) = runOnUiThread { Toast.makeText(this, text, Toast.LENGTH_LONG).show() }

    private companion object {
        const val ADD = 1
    }
}
