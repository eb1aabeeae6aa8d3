package org.nowplaying.app

import android.app.AlertDialog
import android.content.Intent
import android.os.Bundle
import android.text.format.Formatter
import android.view.View
import android.widget.TextView
import java.io.IOException

/** Song packs: list, add, enable, delete. */
class PacksActivity : Screen() {
    private val rows = Rows(this)

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        showScreen(R.layout.list)
        findViewById<View>(R.id.search).visibility = View.GONE
        findViewById<View>(R.id.empty).visibility = View.GONE
        findViewById<TextView>(R.id.help).setText(R.string.packs_help)
        rows.fill(findViewById(R.id.list))
        findViewById<View>(R.id.add).setOnClickListener {
            val open = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE)
            startActivityForResult(open.setType("application/zip"), ADD)
        }
        show()
    }

    private fun show() = work {
        val found = app.library.packs()
        runOnUiThread { rows.items = found.map { row(it) } }
        null
    }

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
            ListenService.packsChanged(this)
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
                work {
                    app.library.delete(pack)
                    ListenService.packsChanged(this)
                    null
                }
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
            ListenService.packsChanged(this)
            getString(R.string.pack_added)
        }
        show()
    }

    private companion object {
        const val ADD = 1
    }
}
