package org.nowplaying.app

import android.Manifest
import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.net.Uri
import android.view.View
import android.widget.EditText
import android.widget.ListView
import java.io.ByteArrayOutputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.nowplaying.core.history.History
import org.nowplaying.core.loop.Answer
import org.nowplaying.core.song.Track
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.fakes.RoboMenuItem
import org.robolectric.shadows.ShadowAlertDialog
import org.robolectric.shadows.ShadowLooper.idleMainLooper

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [33])
class HistoryActivityTest {
    private lateinit var app: NowPlayingApp
    private lateinit var screen: HistoryActivity

    @Before
    fun open() {
        app = RuntimeEnvironment.getApplication() as NowPlayingApp
        val history = History(app.history)
        history.add(answer("00000000000000aa", "Nocturne", "Chopin"), 1_700_000_000_000)
        history.add(answer("00000000000000bb", "Prelude", "Bach"), 1_700_000_300_000)
        screen = Robolectric.buildActivity(HistoryActivity::class.java).setup().get()
        idleMainLooper()
    }

    @Test
    fun theMicrophoneIsAskedForInContextAndWithTheReason() {
        press(R.id.ask)
        val why = ShadowAlertDialog.getLatestAlertDialog()
        assertEquals(app.getString(R.string.why_microphone), shadowOf(why).message)
        assertNull("asked before saying why", shadowOf(screen).lastRequestedPermission)
        agree(why)
        assertEquals(listOf(Manifest.permission.RECORD_AUDIO), shadowOf(screen).lastRequestedPermission.requestedPermissions.toList())
        assertNull(shadowOf(app).nextStartedService)
    }

    @Test
    fun withTheMicrophoneTheQuestionIsAskedAndNotificationsAreAskedForOnce() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        press(R.id.ask)
        shadowOf(ShadowAlertDialog.getLatestAlertDialog()).let { assertEquals(app.getString(R.string.why_notifications), it.message) }
        ShadowAlertDialog.getLatestAlertDialog().getButton(AlertDialog.BUTTON_NEGATIVE).performClick()
        idleMainLooper()
        assertEquals(ListenService.QUERY, shadowOf(app).nextStartedService.action)
        ShadowAlertDialog.reset()
        press(R.id.listen)
        assertNull("asked again", ShadowAlertDialog.getLatestAlertDialog())
        assertEquals(ListenService.LISTEN, shadowOf(app).nextStartedService.action)
    }

    @Test
    fun theHistoryIsSearched() {
        screen.findViewById<EditText>(R.id.search).setText("bach")
        idleMainLooper()
        val list = screen.findViewById<ListView>(R.id.list)
        assertEquals(1, list.adapter.count)
    }

    @Test
    fun oneEntryIsDeleted() {
        val list = screen.findViewById<ListView>(R.id.list)
        list.performItemClick(null, 0, 0)
        ShadowAlertDialog.getLatestAlertDialog().getButton(AlertDialog.BUTTON_NEGATIVE).performClick()
        idleMainLooper()
        assertEquals(listOf("Nocturne"), app.history.search("", 10).map { it.title })
        assertEquals(1, list.adapter.count)
    }

    @Test
    fun deletingEverythingIsAskedAbout() {
        choose(R.id.menu_delete_all)
        assertEquals(2, app.history.search("", 10).size)
        agree(ShadowAlertDialog.getLatestAlertDialog())
        assertEquals(0, app.history.search("", 10).size)
    }

    @Test
    fun theHistoryIsExportedAsCsv() {
        choose(R.id.menu_export)
        val asked = shadowOf(screen).nextStartedActivityForResult
        assertEquals(Intent.ACTION_CREATE_DOCUMENT, asked.intent.action)
        val written = ByteArrayOutputStream()
        val place = Uri.parse("content://somewhere/history.csv")
        shadowOf(app.contentResolver).registerOutputStream(place, written)
        shadowOf(screen).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(place))
        assertEquals(3, written.toString().trim().lines().size)
        assertTrue(written.toString().contains("Chopin"))
    }

    @Test
    fun everyScreenIsReachedFromTheMenu() {
        for ((item, kind) in mapOf(
            R.id.menu_songs to SongsActivity::class.java,
            R.id.menu_packs to PacksActivity::class.java,
            R.id.menu_status to StatusActivity::class.java,
            R.id.menu_settings to SettingsActivity::class.java,
            R.id.menu_privacy to PrivacyActivity::class.java,
        )) {
            choose(item)
            assertEquals(kind.name, shadowOf(screen).nextStartedActivity.component!!.className)
        }
    }

    private fun answer(id: String, title: String, artist: String) =
        Answer(Track(id, title, artist, "", 200.0, "", emptyMap<String, String>()), 12.0, 0.9, 8.0)

    private fun press(view: Int) {
        screen.findViewById<View>(view).performClick()
        idleMainLooper()
    }

    private fun choose(item: Int) {
        screen.onOptionsItemSelected(RoboMenuItem(item))
        idleMainLooper()
    }

    private fun agree(dialog: AlertDialog) {
        dialog.getButton(AlertDialog.BUTTON_POSITIVE).performClick()
        idleMainLooper()
    }
}
