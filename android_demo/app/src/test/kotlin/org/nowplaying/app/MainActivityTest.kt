package org.nowplaying.app

import android.Manifest
import android.app.AlertDialog
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.ListView
import android.widget.TextView
import java.util.concurrent.CountDownLatch
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.nowplaying.app.Look.Companion.waitUntil
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlertDialog
import org.robolectric.shadows.ShadowLooper.idleMainLooper

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [33])
class MainActivityTest {
    private lateinit var app: NowPlayingApp
    private lateinit var screen: MainActivity

    @Before
    fun open() {
        app = RuntimeEnvironment.getApplication() as NowPlayingApp
        Samples.fill(app)
        screen = Robolectric.buildActivity(MainActivity::class.java).setup().get()
        idleMainLooper()
    }

    @Test
    fun theMicrophoneIsAskedForInContextAndWithTheReason() {
        press(R.id.listen)
        val why = ShadowAlertDialog.getLatestAlertDialog()
        assertEquals(app.getString(R.string.why_microphone), shadowOf(why).message)
        assertNull("asked before saying why", shadowOf(screen).lastRequestedPermission)
        why.getButton(AlertDialog.BUTTON_POSITIVE).performClick()
        idleMainLooper()
        assertEquals(listOf(Manifest.permission.RECORD_AUDIO), shadowOf(screen).lastRequestedPermission.requestedPermissions.toList())
        assertNull(shadowOf(app).nextStartedService)
    }

    @Test
    fun withTheMicrophoneItListensAndNotificationsAreAskedForOnce() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        press(R.id.listen)
        shadowOf(ShadowAlertDialog.getLatestAlertDialog()).let { assertEquals(app.getString(R.string.why_notifications), it.message) }
        ShadowAlertDialog.getLatestAlertDialog().getButton(AlertDialog.BUTTON_NEGATIVE).performClick()
        idleMainLooper()
        assertEquals(ListenService.LISTEN, shadowOf(app).nextStartedService.action)
        ShadowAlertDialog.reset()
        press(R.id.listen)
        assertNull("asked again", ShadowAlertDialog.getLatestAlertDialog())
    }

    @Test
    fun whoClosesTheQuestionAboutNotificationsIsListenedForAllTheSame() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        press(R.id.listen)
        ShadowAlertDialog.getLatestAlertDialog().cancel()
        idleMainLooper()
        assertEquals(ListenService.LISTEN, shadowOf(app).nextStartedService.action)
    }

    @Test
    fun itSaysWhetherItListensAndWhyNotIfNot() {
        assertEquals(app.getString(R.string.off), text(R.id.state))
        app.log.setRunning(true)
        idleMainLooper()
        assertEquals(app.getString(R.string.listening), text(R.id.state))
        app.log.setPauseReason("call")
        idleMainLooper()
        assertEquals(app.getString(R.string.paused), text(R.id.state))
        assertTrue(text(R.id.reason).contains(app.getString(R.string.reason_call)))
    }

    @Test
    fun theLastSongIsLargeAndOpensItsPage() {
        assertEquals("Nocturne in E-flat major, Op. 9 No. 2", text(R.id.title))
        assertTrue(text(R.id.time).startsWith(app.getString(R.string.today)))
        press(R.id.last)
        assertEquals(SongActivity::class.java.name, shadowOf(screen).nextStartedActivity.component!!.className)
    }

    @Test
    fun theHistoryIsGroupedByDayAndSearched() {
        screen.select(MainActivity.HISTORY)
        val rows = rows()
        assertEquals(
            listOf(app.getString(R.string.today), app.getString(R.string.yesterday)),
            rows.filter { it.isSection }.map { it.first }.take(2),
        )
        assertEquals(4, rows.count { it.isSection })
        screen.findViewById<EditText>(R.id.search).setText("holizna")
        idleMainLooper()
        assertEquals(listOf("Winter Blues", "Winter Blues"), rows().filter { !it.isSection }.map { it.first })
    }

    @Test
    fun favouritesAreShownAlone() {
        screen.select(MainActivity.HISTORY)
        press(R.id.favourites)
        val songs = rows().filter { !it.isSection }
        assertEquals(3, songs.size)
        assertTrue(songs.all { it.isFavourite && it.cover == Samples.NOCTURNE })
        press(R.id.all)
        assertEquals(9, rows().count { !it.isSection })
    }

    @Test
    fun statisticsCountSongsAndHoursWithoutHoldingUpTheScreen() {
        val mayCount = CountDownLatch(1)
        app.reader.execute { mayCount.await() }
        screen.select(MainActivity.STATISTICS)
        idleMainLooper()
        assertEquals("counted on the main thread", "", text(R.id.entries))
        assertEquals(View.GONE, screen.findViewById<View>(R.id.empty).visibility)
        mayCount.countDown()
        waitUntil { text(R.id.entries).isNotEmpty() }
        assertEquals(app.resources.getQuantityString(R.plurals.songs_heard, 9, 9), text(R.id.entries))
        val first = screen.findViewById<ViewGroup>(R.id.top_songs).getChildAt(0)
        assertEquals("Nocturne in E-flat major, Op. 9 No. 2", first.findViewById<TextView>(R.id.first).text)
        assertEquals(3, screen.findViewById<HoursView>(R.id.hours).byHour[18])
    }

    @Test
    fun everyScreenIsReached() {
        screen.select(MainActivity.MORE)
        val opened = rows().indices.filter { it != LANGUAGE }.map {
            screen.findViewById<ListView>(R.id.list).performItemClick(null, it, 0)
            shadowOf(screen).nextStartedActivity.component!!.shortClassName.substringAfterLast('.')
        }
        val expected = "Songs Packs Battery Status Settings Backup Automation Privacy".split(" ").map { it + "Activity" }
        assertEquals(expected, opened)
        screen.findViewById<ListView>(R.id.list).performItemClick(null, LANGUAGE, 0)
        assertNotNull(ShadowAlertDialog.getLatestAlertDialog())
    }

    @Test
    fun backLeadsToTheFirstTabAndThenOut() {
        screen.select(MainActivity.MORE)
        screen.onBackInvokedDispatcher.let { assertNotNull(it) }
        @Suppress("DEPRECATION")
        screen.onBackPressed()
        assertEquals(MainActivity.NOW, screen.selected)
        @Suppress("DEPRECATION")
        screen.onBackPressed()
        assertTrue(screen.isFinishing)
    }

    @Test
    fun theOpenTabIsKeptOverARotation() {
        val controller = Robolectric.buildActivity(MainActivity::class.java).setup()
        controller.get().select(MainActivity.STATISTICS)
        controller.recreate()
        assertEquals(MainActivity.STATISTICS, controller.get().selected)
    }

    @Suppress("UNCHECKED_CAST")
    private fun rows(): List<Row> = (screen.findViewById<ListView>(R.id.list).adapter as Rows).items

    private fun text(view: Int) = screen.findViewById<TextView>(view).text.toString()

    private fun press(view: Int) {
        screen.findViewById<View>(view).performClick()
        idleMainLooper()
    }

    private companion object {
        const val LANGUAGE = 5
    }
}
