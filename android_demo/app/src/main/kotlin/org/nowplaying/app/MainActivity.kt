package org.nowplaying.app

import android.content.Intent
import android.os.Build
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.ImageView
import android.widget.TextView
import android.window.OnBackInvokedCallback
import android.window.OnBackInvokedDispatcher

/** The first screen: what it does now, the history, statistics, and everything else, each below its tab. */
class MainActivity : ObservingScreen() {
    /** One tab's content. */
    abstract class Page(val screen: MainActivity, layout: Int) {
        val view: View = screen.layoutInflater.inflate(layout, screen.findViewById(R.id.content), false).also { tame(it) }

        abstract fun show()
    }

    private class Tab(val icon: Int, val name: Int, val make: (MainActivity) -> Page)

    val permissions = Permissions(this)
    private val tabs = listOf(
        Tab(R.drawable.ic_mic, R.string.now) { NowPage(it) },
        Tab(R.drawable.ic_history, R.string.history) { HistoryPage(it) },
        Tab(R.drawable.ic_chart, R.string.statistics) { StatisticsPage(it) },
        Tab(R.drawable.ic_more, R.string.more) { MorePage(it) },
    )
    private var page: Page? = null
    private var backToFirst: Any? = null

    /** Number of the tab that is open. */
    var selected = -1
        private set

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.main)
        keepClearOfBars()
        val bar = findViewById<ViewGroup>(R.id.tabs)
        // With very large text four names do not fit beside each other: the icons stay, and screen readers say the names.
        val hasNames = resources.configuration.fontScale < LARGE_TEXT
        for ((number, tab) in tabs.withIndex()) {
            val view = layoutInflater.inflate(R.layout.tab, bar, false)
            view.findViewById<ImageView>(R.id.icon).setImageResource(tab.icon)
            val label = view.findViewById<TextView>(R.id.label)
            label.setText(tab.name)
            label.visibility = if (hasNames) View.VISIBLE else View.GONE
            view.contentDescription = getString(tab.name)
            view.setOnClickListener { select(number) }
            bar.addView(view)
        }
        select(state?.getInt(SELECTED) ?: 0)
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        state.putInt(SELECTED, selected)
    }

    fun select(number: Int) {
        if (number == selected) {
            return
        }
        selected = number
        val bar = findViewById<ViewGroup>(R.id.tabs)
        for (one in 0 until bar.childCount) {
            bar.getChildAt(one).isSelected = one == number
        }
        val content = findViewById<ViewGroup>(R.id.content)
        content.removeAllViews()
        page = tabs[number].make(this).also { content.addView(it.view) }
        show()
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
            goBackToFirst(number != 0)
        }
    }

    /** On any other tab, back leads to the first; there it is Android's, which shows beforehand where it leads. */
    @android.annotation.TargetApi(Build.VERSION_CODES.TIRAMISU)
    private fun goBackToFirst(isWanted: Boolean) {
        (backToFirst as OnBackInvokedCallback?)?.let { onBackInvokedDispatcher.unregisterOnBackInvokedCallback(it) }
        backToFirst = null
        if (isWanted) {
            val callback = OnBackInvokedCallback { select(0) }
            onBackInvokedDispatcher.registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, callback)
            backToFirst = callback
        }
    }

    @Deprecated("Android calls it before version 13 only")
    override fun onBackPressed() {
        if (selected != 0) {
            select(0)
        } else {
            @Suppress("DEPRECATION")
            super.onBackPressed()
        }
    }

    override fun show() {
        page?.show()
    }

    fun open(screen: Class<*>) = startActivity(Intent(this, screen))

    override fun onRequestPermissionsResult(request: Int, names: Array<String>, results: IntArray) =
        permissions.onResult(request)

    companion object {
        const val NOW = 0
        const val HISTORY = 1
        const val STATISTICS = 2
        const val MORE = 3
        private const val SELECTED = "selected"
        const val LARGE_TEXT = 1.5f
    }
}
