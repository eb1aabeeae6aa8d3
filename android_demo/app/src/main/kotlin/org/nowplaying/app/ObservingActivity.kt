package org.nowplaying.app

import android.app.Activity

/** A screen that shows the activity log, and redraws whenever it changes. */
abstract class ObservingActivity : Activity() {
    private val refresh: () -> Unit = { show() }

    protected abstract fun show()

    override fun onStart() {
        super.onStart()
        app.log.watch(refresh)
    }

    override fun onStop() {
        app.log.unwatch(refresh)
        super.onStop()
    }
}
