package org.nowplaying.app

import android.Manifest
import android.app.Notification
import android.app.NotificationManager
import android.content.Intent
import android.content.pm.ServiceInfo
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.nowplaying.app.Look.Companion.waitUntil
import org.nowplaying.core.artifact.Json
import org.nowplaying.core.artifact.NpyFile
import org.nowplaying.core.history.HistoryEntry
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAudioRecord
import org.robolectric.util.ReflectionHelpers.createDelegatingProxy
import org.robolectric.util.ReflectionHelpers.setStaticField

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

    class NoRecordings {
        @Suppress("unused")
        fun getActiveRecordingConfigurations() = emptyList<Any>()
    }

    /** Nine seconds of a recording whose song is in the demo's pack, and the song's title. */
    private fun songOnTheMicrophone(): Pair<ShortArray, String> {
        val golden = File(System.getProperty("golden")!!)
        fun json(name: String) = Json.parse(File(golden, name).readText()) as Map<*, *>
        val record = json("demo-sounds.json")
        val songs = (json("demo-songs.json")["songs"] as List<*>).map { it as Map<*, *> }
        val samples = NpyFile.map(golden.toPath().resolve("demo-sounds.npy"), "<i2", -1).asShortBuffer()
        var start = 0
        for (sound in (record["sounds"] as List<*>).map { it as Map<*, *> }) {
            val query = (sound["queries"] as List<*>).map { it as List<*> }.firstOrNull { it[1] != null }
            if (query != null) {
                samples.position(start + (query[0] as Number).toInt() * 8_000)
                val title = songs.single { (it["song_index"] as Number).toInt() == (query[1] as Number).toInt() }["title"] as String
                return Pair(ShortArray(9 * 16_000).also { samples.get(it) }, title)
            }
            start += (sound["samples"] as Number).toInt()
        }
        error("no song in demo-sounds.json")
    }

    @Test
    fun aSongOnTheMicrophoneIsRecognizedAndKept() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        val (song, title) = songOnTheMicrophone()
        var at = 0
        ShadowAudioRecord.setSource(object : ShadowAudioRecord.AudioRecordSource {
            override fun readInShortArray(data: ShortArray, offset: Int, size: Int, isBlocking: Boolean): Int {
                for (i in 0 until size) {
                    data[offset + i] = song[at++ % song.size]
                }
                return size
            }
        })
        // Robolectric has no audio service, which the microphone asks whether it is silenced.
        val audio = createDelegatingProxy(Class.forName("android.media.IAudioService"), NoRecordings())
        val monitor = Class.forName("android.media.AudioRecordingMonitorImpl")
        setStaticField(monitor, "sService", audio)
        val service = started(ListenService.QUERY)
        waitUntil { shadowOf(service).isStoppedBySelf }
        setStaticField(monitor, "sService", null)
        assertNotNull(app.log.newestFirst().joinToString { it.text }, app.log.answer?.track)
        val kept = app.history.last()!!
        assertEquals(title, app.log.answer!!.track.title)
        assertEquals(title, kept.title)
    }

    @Test
    fun whereTheNetworkCannotRunItSaysSoAndEnds() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        app.library.install()
        app.filesDir.resolve("shipped/models/detector/detector.tflite").appendBytes(byteArrayOf(0))
        val service = started(ListenService.QUERY)
        waitUntil { shadowOf(service).isStoppedBySelf }
        assertFalse(app.log.isQuerying)
        assertTrue("only a query that has begun can fail", app.log.hasFailed)
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
