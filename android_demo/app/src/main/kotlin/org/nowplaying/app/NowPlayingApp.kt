package org.nowplaying.app

import android.app.Application
import org.nowplaying.core.energy.SqlUsage
import org.nowplaying.core.history.SqlHistory

/** Objects that live as long as the process, shared by service and screens. */
class NowPlayingApp : Application() {
    val settings by lazy { Settings(this) }
    val library by lazy { Library(this) }
    private val sql by lazy { HistorySql(this) }
    val history by lazy { SqlHistory(sql) }
    val usage by lazy { SqlUsage(sql) }
    val automation by lazy { Automation(this) }
    val log by lazy { ActivityLog(this) }

    override fun onCreate() {
        super.onCreate()
        Notifier(this).makeChannels()
    }
}

val android.content.Context.app: NowPlayingApp
    get() = applicationContext as NowPlayingApp
