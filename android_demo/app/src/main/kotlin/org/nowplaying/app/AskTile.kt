package org.nowplaying.app

import android.app.PendingIntent
import android.content.Intent
import android.os.Build
import android.service.quicksettings.Tile
import android.service.quicksettings.TileService

/** The question as a tile of the quick settings; it opens the screen that asks, because only a visible one may listen. */
class AskTile : TileService() {
    override fun onStartListening() {
        val tile = qsTile ?: return
        tile.state = if (app.log.isRunning) Tile.STATE_ACTIVE else Tile.STATE_INACTIVE
        tile.label = getString(R.string.ask)
        tile.contentDescription = getString(R.string.ask)
        tile.updateTile()
    }

    override fun onClick() {
        val ask = Intent(this, AskActivity::class.java).addFlags(Intent.FLAG_ACTIVITY_NEW_TASK)
        if (Build.VERSION.SDK_INT >= ANDROID_14) {
            collapseAndStart(PendingIntent.getActivity(this, 0, ask, PendingIntent.FLAG_IMMUTABLE))
        } else {
            @Suppress("DEPRECATION")
            startActivityAndCollapse(ask)
        }
    }

    /** Android 14's way; the classes that check this app are Android 13's, which lack the method. */
    private fun collapseAndStart(opens: PendingIntent) {
        TileService::class.java.getMethod("startActivityAndCollapse", PendingIntent::class.java).invoke(this, opens)
    }

    private companion object {
        const val ANDROID_14 = 34
    }
}
