package org.nowplaying.app

import android.Manifest
import android.app.Activity
import android.app.NotificationManager
import android.content.Intent
import android.net.Uri
import android.os.Looper
import android.service.quicksettings.Tile
import android.view.View
import android.widget.FrameLayout
import android.widget.ListView
import android.widget.TextView
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.nowplaying.app.Look.Companion.waitUntil
import org.nowplaying.core.history.HistoryEntry
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlertDialog
import org.robolectric.shadows.ShadowToast

/** What reaches beyond the app's own screens: files, other apps, the quick settings, the home screen. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [33])
class OutsideTest {
    private val app get() = RuntimeEnvironment.getApplication() as NowPlayingApp

    @Before
    fun fill() = Samples.fill(app)

    private fun command(action: String, token: String?): Activity {
        val intent = Intent(action).putExtra(Automation.TOKEN, token)
        return Robolectric.buildActivity(CommandActivity::class.java, intent).create().start().resume().get()
    }

    @Test
    fun commandsNeedTheTokenAndTheUsersConsent() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        val token = app.automation.token
        assertTrue(command(Automation.START, token).isFinishing)
        assertNull("commands are off at first", shadowOf(app).nextStartedService)
        app.automation.acceptsCommands = true
        for (wrong in listOf(null, "", token.drop(1), token.reversed())) {
            command(Automation.START, wrong)
            assertNull("token $wrong", shadowOf(app).nextStartedService)
        }
        command(Automation.START, token)
        assertEquals(ListenService.LISTEN, shadowOf(app).nextStartedService.action)
        val asked = command(Automation.ASK, token)
        assertEquals(AskActivity::class.java.name, shadowOf(asked).nextStartedActivity.component!!.className)
        command(Automation.STOP, token)
        assertEquals(ListenService::class.java.name, shadowOf(app).nextStoppedService.component!!.className)
        assertNotEquals(token, app.automation.renew())
        command(Automation.START, token)
        assertNull("an old token", shadowOf(app).nextStartedService)
    }

    @Test
    fun songsAreAnnouncedOnlyWhereThatIsWanted() {
        val song = HistoryEntry(1, Samples.NOCTURNE, "Nocturne", "Chopin", 1_000, 2_000, 3.0, 0.9, 1)
        app.automation.announce(song)
        assertFalse(shadowOf(app).broadcastIntents.any { it.action == Automation.SONG })
        app.automation.announcesSongs = true
        app.automation.announce(song)
        val sent = shadowOf(app).broadcastIntents.single { it.action == Automation.SONG }
        assertEquals("Nocturne", sent.getStringExtra("title"))
    }

    @Test
    fun theTileOpensTheQuestion() {
        val tile = Robolectric.setupService(AskTile::class.java)
        tile.onStartListening()
        assertEquals(Tile.STATE_INACTIVE, tile.qsTile.state)
        app.log.setRunning(true)
        tile.onStartListening()
        assertEquals(Tile.STATE_ACTIVE, tile.qsTile.state)
        tile.onClick()
        assertEquals(AskActivity::class.java.name, shadowOf(app).nextStartedActivity.component!!.className)
    }

    @Test
    fun theWidgetShowsTheLastSongAndAsks() {
        val place = FrameLayout(app)
        val view = SongWidget.views(app).apply(app, place)
        assertTrue(view.findViewById<TextView>(R.id.title).text.startsWith("Nocturne"))
        view.findViewById<View>(R.id.ask).performClick()
        assertEquals(AskActivity::class.java.name, shadowOf(app).nextStartedActivity.component!!.className)
        app.history.clear()
        val empty = SongWidget.views(app).apply(app, place)
        assertEquals(app.getString(R.string.nothing_heard), empty.findViewById<TextView>(R.id.artist).text)
    }

    @Test
    fun theNotificationOfASongKeepsItsSongWhenTheWidgetShowsAnother() {
        val song = app.history.last()!!
        Notifier(app).showSong(song, true)
        app.history.ofTrack(song.trackId, 100).forEach { app.history.delete(it.id) }
        SongWidget.views(app)
        val shown = shadowOf(app.getSystemService(NotificationManager::class.java)).allNotifications.single()
        val opens = shadowOf(shown.contentIntent).savedIntent
        assertEquals(song.trackId, opens.data!!.schemeSpecificPart)
        assertTrue(Robolectric.buildActivity(SongActivity::class.java, opens).setup().get().isFinishing)
    }

    @Test
    fun anErrorWithoutAQueryLeavesTheLastAnswer() {
        app.log.queryStarted()
        app.log.queryEnded(Samples.answer(Samples.NOCTURNE, "Nocturne", "Chopin"))
        app.log.queryEnded(null)
        assertEquals("Nocturne", app.log.answer!!.track.title)
        assertFalse(app.log.hasFailed)
    }

    @Test
    fun theQuestionExplainsTheMicrophoneAndShowsTheAnswer() {
        val screen = Robolectric.buildActivity(AskActivity::class.java).setup().get()
        assertEquals(app.getString(R.string.why_microphone), shadowOf(ShadowAlertDialog.getLatestAlertDialog()).message)
        app.log.queryStarted()
        app.log.queryEnded(Samples.answer(Samples.NOCTURNE, "Nocturne", "Chopin"))
        shadowOf(Looper.getMainLooper()).idle()
        assertEquals("Nocturne", screen.findViewById<TextView>(R.id.title).text.toString())
        screen.findViewById<View>(R.id.open).performClick()
        assertEquals(SongActivity::class.java.name, shadowOf(screen).nextStartedActivity.component!!.className)
        app.log.queryStarted()
        app.log.queryEnded(null)
        shadowOf(Looper.getMainLooper()).idle()
        assertEquals(app.getString(R.string.failed_title), screen.findViewById<TextView>(R.id.title).text.toString())
    }

    private fun choose(screen: BackupActivity, row: Int): Intent {
        screen.findViewById<ListView>(R.id.list).performItemClick(null, row, 0)
        return shadowOf(screen).nextStartedActivityForResult.intent
    }

    /** Gives a screen the file that it asked for, and waits until it says that it is done, or why not. */
    private fun receive(screen: BackupActivity, asked: Intent, place: Uri) {
        fun shown() = ShadowToast.shownToastCount() + ShadowAlertDialog.getShownDialogs().size
        val before = shown()
        shadowOf(screen).receiveResult(asked, Activity.RESULT_OK, Intent().setData(place))
        waitUntil { shown() > before }
    }

    private fun saved(screen: BackupActivity, row: Int, name: String): String {
        val asked = choose(screen, row)
        assertEquals(Intent.ACTION_CREATE_DOCUMENT, asked.action)
        val written = ByteArrayOutputStream()
        val place = Uri.parse("content://somewhere/$name")
        shadowOf(app.contentResolver).registerOutputStream(place, written)
        receive(screen, asked, place)
        return written.toString()
    }

    @Test
    fun theHistoryIsBackedUpDeletedAndRestored() {
        val screen = Robolectric.buildActivity(BackupActivity::class.java).setup().get()
        val backup = saved(screen, 0, "history.json")
        Notifier(app).showSong(app.history.last()!!, true)
        screen.findViewById<ListView>(R.id.list).performItemClick(null, DELETE, 0)
        assertEquals("asked before", 9, app.history.search("", 100).size)
        ShadowAlertDialog.getLatestAlertDialog().getButton(android.app.AlertDialog.BUTTON_POSITIVE).performClick()
        shadowOf(Looper.getMainLooper()).idle()
        assertEquals(0, app.history.search("", 100).size)
        assertEquals(0, shadowOf(app.getSystemService(NotificationManager::class.java)).size())
        for ((text, entries) in listOf("no backup" to 0, backup to 9, backup to 9)) {
            val asked = choose(screen, 1)
            val place = Uri.parse("content://somewhere/${text.length}-$entries")
            shadowOf(app.contentResolver).registerInputStream(place, ByteArrayInputStream(text.toByteArray()))
            receive(screen, asked, place)
            assertEquals(entries, app.history.search("", 100).size)
        }
        assertEquals(setOf(Samples.NOCTURNE), app.history.favouriteIds())
    }

    @Test
    fun theHistoryIsExportedAsCsv() {
        val screen = Robolectric.buildActivity(BackupActivity::class.java).setup().get()
        val table = saved(screen, 2, "history.csv")
        assertEquals(10, table.trim().lines().size)
        assertTrue(table.contains("Chopin"))
    }

    @Test
    fun theBatteryPageEstimatesFromWhatWasCounted() {
        val screen = Robolectric.buildActivity(BatteryActivity::class.java).setup().get()
        val shown = Look.views(screen.window.decorView).filterIsInstance<TextView>().map { it.text.toString() }
        assertTrue("$shown", shown.containsAll(listOf("94", "41", "12", "307")))
        // 94 minutes at 170.3 mW are 960 J, and 41 answers of 0.083 J are 3 J: 1.4 % of 69,660 J.
        assertEquals(app.getString(R.string.battery_share, "1.4%"), screen.findViewById<TextView>(R.id.share).text)
    }

    @Test
    @Config(sdk = [33], qualifiers = "de")
    fun itSpeaksTheLanguageOfThePhone() {
        assertEquals("Heute", app.dayText(System.currentTimeMillis()))
        assertEquals("Gestern", app.dayText(Samples.daysAgo(1, 12, 0)))
    }

    private companion object {
        const val DELETE = 3
    }
}
