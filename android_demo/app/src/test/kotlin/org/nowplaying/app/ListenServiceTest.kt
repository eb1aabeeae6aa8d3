package org.nowplaying.app

import android.Manifest
import android.app.Notification
import android.app.NotificationManager
import android.content.Intent
import android.content.pm.ServiceInfo
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.nowplaying.app.Look.Companion.waitUntil
import org.nowplaying.core.history.HistoryEntry
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [33])
class ListenServiceTest {
    private val app get() = RuntimeEnvironment.getApplication() as NowPlayingApp
    private val notifications get() = app.getSystemService(NotificationManager::class.java)

    private fun started(action: String) = Robolectric.buildService(
        ListenService::class.java, Intent(app, ListenService::class.java).setAction(action),
    ).create().startCommand(0, 1).get()

    @Test
    fun withoutTheMicrophoneItEndsAtOnce() {
        val service = started(ListenService.LISTEN)
        assertTrue(shadowOf(service).isStoppedBySelf)
        assertNull(shadowOf(service).lastForegroundNotification)
    }

    @Test
    fun whileItRunsANotificationSaysSoAndStopsIt() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        val service = started(ListenService.LISTEN)
        val shown = shadowOf(service).lastForegroundNotification
        assertNotNull(shown)
        assertEquals(ServiceInfo.FOREGROUND_SERVICE_TYPE_MICROPHONE, service.foregroundServiceType)
        assertTrue(shown.flags and Notification.FLAG_ONGOING_EVENT != 0)
        val stop = shown.actions.single()
        assertEquals(app.getString(R.string.stop), stop.title)
        val sent = shadowOf(stop.actionIntent).savedIntent
        assertEquals(ListenService.STOP, sent.action)
        service.onStartCommand(sent, 0, 2)
        assertTrue(shadowOf(service).isStoppedBySelf)
    }

    @Test
    fun whereAndroidRefusesAMicrophoneInTheBackgroundItSaysSoAndEnds() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        for (refusal in listOf(SecurityException("not allowed from the background"), IllegalStateException("startForeground"))) {
            val controller = Robolectric.buildService(
                ListenService::class.java, Intent(app, ListenService::class.java).setAction(ListenService.LISTEN),
            ).create()
            shadowOf(controller.get()).setThrowInStartForeground(refusal)
            controller.startCommand(0, 1)
            assertTrue(shadowOf(controller.get()).isStoppedBySelf)
            assertFalse(app.log.isRunning)
            assertTrue(app.log.newestFirst().first().text.contains(refusal.message!!))
        }
    }

    @Test
    fun whereTheNetworkCannotRunItSaysSoAndEnds() {
        // TensorFlow Lite's libraries are for Android: on a desktop they fail to load, as they may on a strange phone.
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        val service = started(ListenService.QUERY)
        assertTrue(app.log.isQuerying)
        waitUntil { shadowOf(service).isStoppedBySelf }
        assertFalse(app.log.isQuerying)
        assertFalse(app.log.isRunning)
        val error = app.getString(R.string.log_error, "")
        assertTrue(app.log.newestFirst().toString(), app.log.newestFirst().any { it.text.startsWith(error) })
    }

    @Test
    fun aSongIsShownOnTheLockScreenOnlyWhereThatIsWanted() {
        val song = HistoryEntry(1, "00000000000000aa", "Nocturne", "", 1_000, 2_000, 3.0, 0.9, 1)
        for ((isWanted, visibility) in mapOf(true to Notification.VISIBILITY_PUBLIC, false to Notification.VISIBILITY_SECRET)) {
            Notifier(app).showSong(song, isWanted)
            val shown = shadowOf(notifications).allNotifications.single()
            assertEquals(visibility, shown.visibility)
            assertEquals("Nocturne", shown.extras.getString(Notification.EXTRA_TITLE))
            assertTrue(shown.extras.getString(Notification.EXTRA_TEXT)!!.contains(app.getString(R.string.unnamed_artist)))
        }
    }

    @Test
    fun nothingThatTheAppShowsMakesANoise() {
        for (channel in notifications.notificationChannels) {
            assertEquals(channel.id, NotificationManager.IMPORTANCE_LOW, channel.importance)
        }
    }
}
