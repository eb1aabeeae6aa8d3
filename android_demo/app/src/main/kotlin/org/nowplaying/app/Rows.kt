package org.nowplaying.app

import android.app.Activity
import android.content.Context
import android.text.Editable
import android.text.TextWatcher
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.EditText
import android.widget.ImageView
import android.widget.ListView
import android.widget.TextView

/** One row of a list: two lines, perhaps a cover or an icon before them, and something short at the end. */
class Row(
    val first: String,
    val second: String,
    val end: String = "",
    val cover: String? = null,
    val icon: Int = 0,
    val isFavourite: Boolean = false,
    val open: (() -> Unit)? = null,
) {
    var isSection = false
        private set

    companion object {
        fun section(name: String) = Row(name, "").apply { isSection = true }
    }
}

/** A list of rows below headings; a screen reader reads a row as one. */
class Rows(private val activity: Activity) : BaseAdapter() {
    var items: List<Row> = emptyList()
        set(value) {
            field = value
            notifyDataSetChanged()
        }

    /** Fills a list, whose rows lead to what they open. */
    fun fill(list: ListView) {
        list.adapter = this
        list.setOnItemClickListener { _, _, position, _ -> items[position].open?.invoke() }
    }

    override fun getCount(): Int = items.size

    override fun getItem(position: Int): Any = items[position]

    override fun getItemId(position: Int): Long = position.toLong()

    override fun getViewTypeCount(): Int = 2

    override fun getItemViewType(position: Int): Int = if (items[position].isSection) 1 else 0

    override fun isEnabled(position: Int): Boolean = items[position].open != null

    override fun getView(position: Int, recycled: View?, parent: ViewGroup): View =
        view(activity, items[position], recycled, parent)

    companion object {
        fun view(context: Context, row: Row, recycled: View?, parent: ViewGroup): View {
            val layout = if (row.isSection) R.layout.section else R.layout.row
            val view = recycled ?: LayoutInflater.from(context).inflate(layout, parent, false)
            view.findViewById<TextView>(R.id.first).text = row.first
            if (row.isSection) {
                return view
            }
            // Beside very large text there is no room for anything at the end.
            val isLarge = context.resources.configuration.fontScale >= MainActivity.LARGE_TEXT
            val second = if (isLarge) listOf(row.second, row.end).filter { it.isNotEmpty() }.joinToString(" · ") else row.second
            show(view.findViewById<TextView>(R.id.second), second.isNotEmpty()).text = second
            show(view.findViewById<TextView>(R.id.end), !isLarge && row.end.isNotEmpty()).text = row.end
            show(view.findViewById<ImageView>(R.id.heart), row.isFavourite)
            show(view.findViewById<CoverView>(R.id.cover), row.cover != null).trackId = row.cover.orEmpty()
            show(view.findViewById<ImageView>(R.id.icon), row.icon != 0).setImageResource(row.icon)
            if (parent !is ListView && row.open != null) {
                view.setBackgroundResource(R.drawable.row)
                view.setOnClickListener { row.open.invoke() }
            }
            return view
        }

        private fun <T : View> show(view: T, isShown: Boolean): T {
            view.visibility = if (isShown) View.VISIBLE else View.GONE
            return view
        }
    }
}

/** Calls back with the text of a field whenever it changes. */
fun EditText.onChange(action: (String) -> Unit) = addTextChangedListener(
    object : TextWatcher {
        override fun afterTextChanged(text: Editable) = action(text.toString())

        override fun beforeTextChanged(text: CharSequence, start: Int, count: Int, after: Int) = Unit

        override fun onTextChanged(text: CharSequence, start: Int, before: Int, count: Int) = Unit
    },
)
