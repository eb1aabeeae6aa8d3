package org.nowplaying.app

import android.content.Context
import android.text.Editable
import android.text.TextWatcher
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.EditText
import android.widget.TextView

/** A list of two lines each, which a screen reader reads as one. */
class Rows<T>(private val context: Context, private val lines: (T) -> Pair<String, String>) : BaseAdapter() {
    var items: List<T> = emptyList()
        set(value) {
            field = value
            notifyDataSetChanged()
        }

    override fun getCount(): Int = items.size

    override fun getItem(position: Int): Any? = items[position]

    override fun getItemId(position: Int): Long = position.toLong()

    override fun getView(position: Int, old: View?, parent: ViewGroup): View {
        val view = old ?: View.inflate(context, R.layout.row, null)
        val (first, second) = lines(items[position])
        view.findViewById<TextView>(R.id.first).text = first
        view.findViewById<TextView>(R.id.second).text = second
        return view
    }
}

/** Calls back whenever the text changes. */
fun EditText.onChange(changed: (String) -> Unit) = addTextChangedListener(
    object : TextWatcher {
        override fun beforeTextChanged(text: CharSequence?, start: Int, count: Int, after: Int) = Unit

        override fun onTextChanged(text: CharSequence?, start: Int, before: Int, count: Int) = Unit

        override fun afterTextChanged(text: Editable) = changed(text.toString())
    },
)
