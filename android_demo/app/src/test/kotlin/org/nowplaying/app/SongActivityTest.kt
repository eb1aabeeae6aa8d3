package org.nowplaying.app

import android.app.SearchManager
import android.content.ClipboardManager
import android.content.Intent
import android.provider.MediaStore
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.nowplaying.core.history.HistoryEntry
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowLooper.idleMainLooper

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [33])
class SongActivityTest {
    private lateinit var app: NowPlayingApp
    private lateinit var screen: SongActivity

    @Before
    fun open() {
        app = RuntimeEnvironment.getApplication() as NowPlayingApp
        Samples.fill(app)
        screen = Robolectric.buildActivity(SongActivity::class.java, SongActivity.intent(app, Samples.NOCTURNE)).setup().get()
        idleMainLooper()
    }

    private fun press(view: Int) {
        screen.findViewById<View>(view).performClick()
        idleMainLooper()
    }

    @Test
    fun itSaysWhenAndWhereInTheSong() {
        val times = screen.findViewById<ViewGroup>(R.id.times)
        assertEquals(3, times.childCount)
        val newest = (times.getChildAt(0) as TextView).text
        assertTrue(newest.toString(), newest.startsWith(app.getString(R.string.today)) && newest.contains("00:42"))
    }

    @Test
    fun aMusicAppIsAskedForTheSong() {
        press(R.id.play)
        val play = shadowOf(screen).nextStartedActivity
        assertEquals(MediaStore.INTENT_ACTION_MEDIA_PLAY_FROM_SEARCH, play.action)
        assertEquals("Frédéric Chopin", play.getStringExtra(MediaStore.EXTRA_MEDIA_ARTIST))
        assertTrue(play.getStringExtra(MediaStore.EXTRA_MEDIA_TITLE)!!.startsWith("Nocturne"))
    }

    @Test
    fun noWordsOfThisAppAreSearchedForInAMusicApp() {
        app.history.insert(HistoryEntry(0, "00000000000000ff", "Winter Blues", "", 1_000, 2_000, 3.0, 0.9, 1))
        val intent = SongActivity.intent(app, "00000000000000ff")
        screen = Robolectric.buildActivity(SongActivity::class.java, intent).setup().get()
        press(R.id.play)
        val play = shadowOf(screen).nextStartedActivity
        assertEquals("Winter Blues", play.getStringExtra(SearchManager.QUERY))
        assertFalse(play.hasExtra(MediaStore.EXTRA_MEDIA_ARTIST))
        screen = Robolectric.buildActivity(SongActivity::class.java, SongActivity.intent(app, Samples.UNNAMED)).setup().get()
        assertEquals(View.GONE, screen.findViewById<View>(R.id.play).visibility)
    }

    @Test
    fun itIsSharedAndCopied() {
        press(R.id.share)
        @Suppress("DEPRECATION")
        val sent = shadowOf(screen).nextStartedActivity.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!
        val text = "Nocturne in E-flat major, Op. 9 No. 2 by Frédéric Chopin"
        assertEquals(text, sent.getStringExtra(Intent.EXTRA_TEXT))
        press(R.id.copy)
        assertEquals(text, app.getSystemService(ClipboardManager::class.java).primaryClip!!.getItemAt(0).text)
    }

    @Test
    fun itBecomesAFavouriteAndNoneAgain() {
        press(R.id.favourite)
        assertFalse(Samples.NOCTURNE in app.history.favouriteIds())
        press(R.id.favourite)
        assertTrue(Samples.NOCTURNE in app.history.favouriteIds())
    }

    @Test
    fun itIsDeletedFromTheHistory() {
        press(R.id.delete)
        assertEquals(0, app.history.ofTrack(Samples.NOCTURNE, 10).size)
        assertEquals(6, app.history.search("", 100).size)
        assertTrue(screen.isFinishing)
    }
}
