package org.nowplaying.app

import android.Manifest
import android.app.AlarmManager
import android.app.Notification
import android.app.NotificationManager
import android.content.Intent
import android.content.pm.ServiceInfo
import java.io.File
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CountDownLatch
import kotlin.concurrent.thread
import org.junit.After
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
import org.robolectric.shadows.ShadowLooper.idleMainLooper
import org.robolectric.shadows.ShadowPowerManager
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
                ListenService::class.java, Intent(app, ListenService::class.java).setAction(ListenService.QUERY),
            ).create()
            shadowOf(controller.get()).setThrowInStartForeground(refusal)
            controller.startCommand(0, 1)
            assertTrue(shadowOf(controller.get()).isStoppedBySelf)
            assertFalse(app.log.isRunning)
            assertTrue("the screen that asked says so", app.log.hasFailed)
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

    /** Makes the microphone give what a function writes. */
    private fun plugIn(sound: (ShortArray, Int, Int) -> Unit) {
        ShadowAudioRecord.setSource(object : ShadowAudioRecord.AudioRecordSource {
            override fun readInShortArray(data: ShortArray, offset: Int, size: Int, isBlocking: Boolean): Int {
                sound(data, offset, size)
                return size
            }
        })
        // Robolectric has no audio service, which the microphone asks whether it is silenced.
        setStaticField(MONITOR, "sService", createDelegatingProxy(Class.forName("android.media.IAudioService"), NoRecordings()))
    }

    @After
    fun unplug() = setStaticField(MONITOR, "sService", null)

    private fun listeningThreads() = Thread.getAllStackTraces().keys.count { it.name == "listening" }

    @Test
    fun aServiceThatIsStillEndingDoesNotSwitchOffTheNextAndEverySecondIsCounted() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        waitUntil { listeningThreads() == 0 }
        var chunks = 0
        val three = CountDownLatch(1)
        val mayEnd = CountDownLatch(1)
        plugIn { _, _, _ ->
            chunks++
            if (chunks == 30) {
                three.countDown()
                mayEnd.await()
            }
        }
        val intent = Intent(app, ListenService::class.java).setAction(ListenService.LISTEN)
        Robolectric.buildService(ListenService::class.java, intent).create().startCommand(0, 1).destroy()
        val next = Robolectric.buildService(ListenService::class.java, intent).create().startCommand(0, 1)
        waitUntil { three.count == 0L && listeningThreads() == 1 }
        idleMainLooper()
        assertTrue("the screens say that nothing listens", app.log.isRunning)
        next.destroy()
        mayEnd.countDown()
        waitUntil { listeningThreads() == 0 && !app.log.isRunning }
        val today = dayNumber(System.currentTimeMillis())
        assertEquals("seconds of listening", chunks / 10.0, app.usage.total(today, today).listenedS, 1e-6)
    }

    @Test
    fun onlyTimeWithAnOpenMicrophoneIsListening() {
        app.log.setRunning(true)
        app.log.setPauseReason("bedtime")
        app.log.setRunning(false)
        assertEquals(0, app.log.lastListenedMs)
        app.log.takeLevel(-30.0)
        assertTrue(app.log.lastListenedMs > 0)
    }

    @Test
    fun thePhoneStaysAwakeFromTheAlarmUntilTheMicrophoneIsOpen() {
        val clock = AndroidClock(app)
        val waiting = thread { clock.waitS(600.0, true) }
        val alarms = shadowOf(app.getSystemService(AlarmManager::class.java))
        waitUntil { alarms.peekNextScheduledAlarm() != null }
        alarms.fireAlarm(alarms.peekNextScheduledAlarm())
        idleMainLooper()
        waiting.join()
        assertTrue(ShadowPowerManager.getLatestWakeLock().isHeld)
    }

    @Test
    fun aSongOnTheMicrophoneIsRecognizedAndKept() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        val (song, title) = songOnTheMicrophone()
        var at = 0
        plugIn { data, offset, size ->
            for (i in 0 until size) {
                data[offset + i] = song[at++ % song.size]
            }
        }
        val service = started(ListenService.QUERY)
        waitUntil { shadowOf(service).isStoppedBySelf }
        assertNotNull(app.log.newestFirst().joinToString { it.text }, app.log.answer?.track)
        val kept = app.history.last()!!
        assertEquals(title, app.log.answer!!.track.title)
        assertEquals(title, kept.title)
    }

    @Test
    fun bothLooksOfAQuestionAreCounted() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        plugIn { _, _, _ -> }
        val service = started(ListenService.QUERY)
        waitUntil { shadowOf(service).isStoppedBySelf }
        assertNull(app.log.answer!!.track)
        val today = dayNumber(System.currentTimeMillis())
        assertEquals(2, app.usage.total(today, today).wakes)
    }

    @Test
    fun packsThatChangeWhileItListensAreSearchedAsTheyAreNow() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        val (song, title) = songOnTheMicrophone()
        var at = 0
        val listened = ConcurrentHashMap.newKeySet<Thread>()
        plugIn { data, offset, size ->
            listened.add(Thread.currentThread())
            for (i in 0 until size) {
                data[offset + i] = if (app.log.isQuerying) song[at++ % song.size] else 0
            }
        }
        val service = started(ListenService.LISTEN)
        waitUntil { listened.size == 1 }
        val shipped = app.library.packs()
        File(System.getProperty("golden")!!, "second.npdb").copyRecursively(app.filesDir.resolve("packs/other.npdb"))
        for ((threads, isUsed) in mapOf(1 to false, 2 to true)) {
            shipped.forEach { app.library.use(it, isUsed) }
            service.onStartCommand(Intent(ListenService.PACKS_CHANGED), 0, 2 * threads)
            waitUntil { listened.size == threads + 1 }
            service.onStartCommand(Intent(ListenService.QUERY), 0, 2 * threads + 1)
            waitUntil { !app.log.isQuerying }
            assertEquals(title.takeIf { isUsed }, app.log.answer?.track?.title)
        }
        assertTrue(app.log.isRunning)
        service.onDestroy()
        waitUntil { listeningThreads() == 0 }
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
    fun whereNoPackIsSearchedItSaysSoAndEnds() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        app.library.packs().forEach { app.library.use(it, false) }
        val service = started(ListenService.LISTEN)
        waitUntil { shadowOf(service).isStoppedBySelf }
        val error = app.getString(R.string.log_error, app.getString(R.string.no_packs))
        assertEquals(error, app.log.newestFirst().first().text)
        assertFalse(app.log.isRunning)
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

    private companion object {
        val MONITOR: Class<*> = Class.forName("android.media.AudioRecordingMonitorImpl")
    }
}
