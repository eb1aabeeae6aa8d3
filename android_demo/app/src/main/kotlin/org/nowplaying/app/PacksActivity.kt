package org.nowplaying.app

import android.app.AlertDialog
import android.content.Intent
import android.os.Bundle
import android.text.format.Formatter
import android.view.View
import android.widget.ListView
import android.widget.TextView
import android.widget.Toast
import java.io.IOException
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/** Song packs: list, add, enable, delete. */
class PacksActivity : Screen() {
    private val rows = Rows(this)
    private lateinit var worker: ExecutorService

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        showScreen(R.layout.list)
        findViewById<View>(R.id.search).visibility = View.GONE
        findViewById<View>(R.id.empty).visibility = View.GONE
        findViewById<TextView>(R.id.help).setText(R.string.packs_help)
        worker = Executors.newSingleThreadExecutor()
        val list = findViewById<ListView>(R.id.list)
        list.adapter = rows
        list.setOnItemClickListener { _, _, position, _ -> rows.items[position].open?.invoke() }
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

    private fun show() = work { app.library.packs().also { found -> runOnUiThread { rows.items = found.map { row(it) } } } }

    private fun row(pack: Library.Pack): Row {
        val facts = if (pack.error != null) {
            listOf(getString(R.string.pack_damaged, pack.error))
        } else {
            listOfNotNull(
                resources.getQuantityString(R.plurals.pack_songs, pack.songs, pack.songs),
                Formatter.formatFileSize(this, pack.bytes),
                getString(R.string.pack_version, pack.version.toString()),
                getString(R.string.pack_shipped_word).takeIf { pack.isShipped },
                getString(R.string.pack_off).takeIf { !pack.isUsed },
            )
        }
        return Row(pack.name, facts.joinToString(" · "), icon = R.drawable.ic_pack) { choose(pack) }
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
