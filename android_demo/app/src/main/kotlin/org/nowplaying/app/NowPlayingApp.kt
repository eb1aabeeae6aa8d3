package org.nowplaying.app

import android.app.Application
import org.nowplaying.core.history.SqlHistory

/** Objects that live as long as the process, shared by service and screens. */
class NowPlayingApp : Application() {
    val settings by lazy { Settings(this) }
    val library by lazy { Library(this) }
    val history by lazy { SqlHistory(HistorySql(this)) }
    val log by lazy { ActivityLog(this) }

    override fun onCreate() {
        super.onCreate()
        Notifier(this).makeChannels()
    }
}

val android.content.Context.app: NowPlayingApp
    get() = applicationContext as NowPlayingApp
