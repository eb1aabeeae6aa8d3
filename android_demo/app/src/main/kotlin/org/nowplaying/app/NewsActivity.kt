package org.nowplaying.app

import android.app.Activity

/** A screen that shows what the diary says, and shows it again whenever there is news. */
abstract class NewsActivity : Activity() {
    private val onNews: () -> Unit = { show() }

    protected abstract fun show()

    override fun onStart() {
        super.onStart()
        app.diary.watch(onNews)
    }

    override fun onStop() {
        app.diary.unwatch(onNews)
        super.onStop()
    }
}
