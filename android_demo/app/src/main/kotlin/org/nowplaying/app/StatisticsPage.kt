package org.nowplaying.app

import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import java.time.ZoneId
import org.nowplaying.core.history.HistoryStatistics

/** How much was recognized, at which hours, and what most often; counted in the background, for it reads the whole history. */
class StatisticsPage(screen: MainActivity) : MainActivity.Page(screen, R.layout.page_statistics) {
    init {
        for (part in intArrayOf(*COUNTED, R.id.artists_label, R.id.empty)) {
            setVisible(part, false)
        }
    }

    override fun show() = screen.app.reader.execute {
        val counted = HistoryStatistics(screen.app.history.search("", Int.MAX_VALUE), ZoneId.systemDefault())
        screen.runOnUiThread { show(counted) }
    }

    private fun show(counted: HistoryStatistics) {
        for (part in COUNTED) {
            setVisible(part, counted.entries > 0)
        }
        setVisible(R.id.empty, counted.entries == 0)
        setVisible(R.id.artists_label, counted.artists().isNotEmpty())
        val resources = screen.resources
        view.findViewById<TextView>(R.id.entries).text =
            resources.getQuantityString(R.plurals.songs_heard, counted.entries, counted.entries)
        val different = counted.songs().size
        view.findViewById<TextView>(R.id.different).text =
            resources.getQuantityString(R.plurals.different_songs, different, different)
        view.findViewById<HoursView>(R.id.hours).byHour = counted.byHour
        fill(R.id.top_songs, counted.songs()) { count, times ->
            val (title, artist) = screen.namesOf(count.entry.title, count.entry.artist)
            Row(title, artist, end = times, cover = count.entry.trackId) { SongActivity.open(screen, count.entry.trackId) }
        }
        fill(R.id.top_artists, counted.artists()) { count, times -> Row(count.entry.artist, times) }
    }

    private fun setVisible(part: Int, isVisible: Boolean) {
        view.findViewById<View>(part).visibility = if (isVisible) View.VISIBLE else View.GONE
    }

    private fun fill(place: Int, counts: List<HistoryStatistics.Count>, row: (HistoryStatistics.Count, String) -> Row) {
        val list = view.findViewById<ViewGroup>(place)
        list.removeAllViews()
        for (count in counts.take(TOP)) {
            val times = screen.resources.getQuantityString(R.plurals.times, count.times, count.times)
            list.addView(Rows.view(screen, row(count, times), null, list))
        }
    }

    private companion object {
        const val TOP = 5
        val COUNTED = intArrayOf(R.id.numbers, R.id.hours_card, R.id.songs_label, R.id.top_songs)
    }
}
