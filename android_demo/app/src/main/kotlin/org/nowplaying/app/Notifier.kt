package org.nowplaying.app

import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.content.Context
import android.content.Intent
import org.nowplaying.core.history.HistoryEntry

/** Notifications: one while the app listens, and one for the recognized song. */
class Notifier(private val context: Context) {
    private val manager = context.getSystemService(NotificationManager::class.java)

    fun makeChannels() {
        val listening = NotificationChannel(
            LISTENING, context.getString(R.string.channel_listening), NotificationManager.IMPORTANCE_LOW,
        )
        val songs = NotificationChannel(
            SONGS, context.getString(R.string.channel_songs), NotificationManager.IMPORTANCE_LOW,
        )
        songs.lockscreenVisibility = Notification.VISIBILITY_PUBLIC
        manager.createNotificationChannels(listOf(listening, songs))
    }

    /** Returns the notification that stays as long as the service runs. */
    fun listening(text: String): Notification {
        val stop = Intent(context, ListenService::class.java).setAction(ListenService.STOP)
        val stops = PendingIntent.getService(context, 0, stop, PendingIntent.FLAG_IMMUTABLE)
        val label = context.getString(R.string.stop)
        val icon = android.graphics.drawable.Icon.createWithResource(context, R.drawable.ic_stat_note)
        return Notification.Builder(context, LISTENING)
            .setSmallIcon(R.drawable.ic_stat_note)
            .setContentTitle(context.getString(R.string.app_name))
            .setContentText(text)
            .setStyle(Notification.BigTextStyle().bigText(text))
            .setContentIntent(opens())
            .addAction(Notification.Action.Builder(icon, label, stops).build())
            .setOngoing(true)
            .setOnlyAlertOnce(true)
            .setCategory(Notification.CATEGORY_SERVICE)
            .build()
    }

    fun showListening(text: String) = manager.notify(LISTENING_ID, listening(text))

    /** Shows a song quietly; on the lock screen too where the user wants that. */
    fun showSong(song: HistoryEntry, onLockScreen: Boolean) {
        val (title, artist) = context.namesOf(song.title, song.artist)
        val notification = Notification.Builder(context, SONGS)
            .setSmallIcon(R.drawable.ic_stat_note)
            .setContentTitle(title)
            .setContentText(context.getString(R.string.notification_song_by, artist))
            .setWhen(song.lastRecognizedMs)
            .setShowWhen(true)
            .setContentIntent(opens(song))
            .setOnlyAlertOnce(true)
            .setVisibility(if (onLockScreen) Notification.VISIBILITY_PUBLIC else Notification.VISIBILITY_SECRET)
            .build()
        manager.notify(SONG_ID, notification)
    }

    fun hideSong() = manager.cancel(SONG_ID)

    private fun opens(): PendingIntent {
        val intent = Intent(context, MainActivity::class.java).addFlags(Intent.FLAG_ACTIVITY_CLEAR_TOP)
        return PendingIntent.getActivity(context, 0, intent, PendingIntent.FLAG_IMMUTABLE)
    }

    private fun opens(song: HistoryEntry): PendingIntent {
        val flags = PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT
        return PendingIntent.getActivity(context, 1, SongActivity.intent(context, song.trackId), flags)
    }

    companion object {
        const val LISTENING_ID = 1
        private const val SONG_ID = 2
        private const val LISTENING = "listening"
        private const val SONGS = "songs"
    }
}
