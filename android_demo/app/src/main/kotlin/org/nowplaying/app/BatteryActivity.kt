package org.nowplaying.app

import android.os.Build
import android.view.ViewGroup
import android.widget.TextView
import java.text.NumberFormat
import org.nowplaying.core.energy.EnergyAccount

/** What listening has cost today, as the simulator's account of this phone estimates it. */
class BatteryActivity : ObservingScreen() {
    override fun onCreate(state: android.os.Bundle?) {
        super.onCreate(state)
        showScreen(R.layout.battery)
    }

    override fun show() {
        val json = assets.open("energy.json").use { it.readBytes().decodeToString() }
        val account = EnergyAccount.of(json, Build.MODEL)
        val today = dayNumber(System.currentTimeMillis())
        val day = app.usage.total(today, today)
        val week = app.usage.total(today - 6, today)
        val (likely, low, high) = account.percent(day.listenedS, day.wakes).map { percentText(it) }
        findViewById<TextView>(R.id.share).text = getString(R.string.battery_share, likely)
        findViewById<TextView>(R.id.share_range).text = getString(R.string.battery_range, low, high)
        val counts = findViewById<ViewGroup>(R.id.counts)
        counts.removeAllViews()
        count(counts, (day.listenedS / 60).toLong(), R.string.battery_minutes)
        count(counts, day.wakes, R.string.battery_wakes)
        count(counts, day.songs, R.string.battery_songs)
        count(counts, (week.listenedS / 60).toLong(), R.string.battery_week)
        val source = getString(R.string.battery_source, account.title)
        val other = if (account.isOfThisModel) "" else "\n" + getString(R.string.battery_other)
        findViewById<TextView>(R.id.source).text = source + other
    }

    private fun percentText(percent: Double): String {
        val format = NumberFormat.getPercentInstance(resources.configuration.locales[0])
        format.maximumFractionDigits = 1
        return format.format(percent / 100)
    }

    private fun count(counts: ViewGroup, number: Long, name: Int) {
        val view = layoutInflater.inflate(R.layout.count, counts, false)
        view.findViewById<TextView>(R.id.first).text = NumberFormat.getInstance(resources.configuration.locales[0]).format(number)
        view.findViewById<TextView>(R.id.second).setText(name)
        counts.addView(view)
    }
}
