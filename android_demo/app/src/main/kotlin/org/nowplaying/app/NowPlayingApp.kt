package org.nowplaying.app

import android.app.Application
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
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

    /** For work with files, one after the other; a screen that is closed or turned does not end it. */
    val worker: ExecutorService by lazy { Executors.newSingleThreadExecutor() }

    /** For what a screen shows and that takes a while to read; it does not wait for files that are being written. */
    val reader: ExecutorService by lazy { Executors.newSingleThreadExecutor() }

    override fun onCreate() {
        super.onCreate()
        Notifier(this).makeChannels()
    }
}

val android.content.Context.app: NowPlayingApp
    get() = applicationContext as NowPlayingApp
