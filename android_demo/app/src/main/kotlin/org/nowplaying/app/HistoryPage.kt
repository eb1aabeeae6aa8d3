package org.nowplaying.app

import android.view.View
import android.widget.Button
import android.widget.EditText
import android.widget.ListView
import android.widget.TextView

/** The history by day, searched, and the favourites alone. */
class HistoryPage(screen: MainActivity) : MainActivity.Page(screen, R.layout.page_history) {
    private val rows = Rows(screen)
    private val search: EditText = view.findViewById(R.id.search)
    private var showsFavourites = false

    init {
        val list = view.findViewById<ListView>(R.id.list)
        rows.fill(list)
        list.emptyView = view.findViewById(R.id.empty)
        search.onChange { show() }
        view.findViewById<View>(R.id.all).setOnClickListener { choose(false) }
        view.findViewById<View>(R.id.favourites).setOnClickListener { choose(true) }
    }

    private fun choose(favourites: Boolean) {
        showsFavourites = favourites
        show()
    }

    override fun show() {
        showChip(R.id.all, !showsFavourites)
        showChip(R.id.favourites, showsFavourites)
        val text = search.text.toString()
        val history = screen.app.history
        val found = if (showsFavourites) history.favourites(text, MAX_ROWS) else history.search(text, MAX_ROWS)
        val favourites = history.favouriteIds()
        val items = ArrayList<Row>()
        for ((day, entries) in found.groupBy { screen.dayText(it.lastRecognizedMs) }) {
            items.add(Row.section(day))
            for (entry in entries) {
                val (title, artist) = screen.namesOf(entry.title, entry.artist)
                items.add(
                    Row(
                        title, artist, end = screen.timeText(entry.lastRecognizedMs), cover = entry.trackId,
                        isFavourite = entry.trackId in favourites,
                    ) { SongActivity.open(screen, entry.trackId) },
                )
            }
        }
        val isFiltered = text.isNotEmpty() || showsFavourites
        view.findViewById<TextView>(R.id.empty).setText(if (isFiltered) R.string.nothing_found else R.string.nothing_heard)
        rows.items = items
    }

    private fun showChip(button: Int, isOn: Boolean) {
        val chip = view.findViewById<Button>(button)
        chip.setBackgroundResource(if (isOn) R.drawable.chip_on else R.drawable.chip_off)
        chip.setTextColor(screen.getColor(if (isOn) R.color.on_secondary_container else R.color.on_surface_variant))
        chip.isSelected = isOn
    }

    private companion object {
        const val MAX_ROWS = 500
    }
}
