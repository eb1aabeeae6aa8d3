package org.nowplaying.app

import android.app.Activity
import android.content.Intent
import android.widget.EditText
import android.widget.ListView
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.nowplaying.app.Look.Companion.waitUntil
import org.nowplaying.core.history.History
import org.nowplaying.core.loop.Answer
import org.nowplaying.core.song.Track
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** Draws every screen in every look into the folder that the property "screens" names. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [33], qualifiers = "w360dp-h740dp-port-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ScreensTest {
    private val app get() = RuntimeEnvironment.getApplication() as NowPlayingApp

    @Test
    fun light() = drawAll("light")

    @Test
    fun dark() {
        RuntimeEnvironment.setQualifiers("+night")
        drawAll("dark")
    }

    @Test
    fun largeText() {
        RuntimeEnvironment.setFontScale(2f)
        drawAll("large")
    }

    @Test
    fun fromRightToLeft() {
        RuntimeEnvironment.setQualifiers("+ar-ldrtl")
        drawAll("rtl")
    }

    @Test
    fun songsAreFoundByTheirNames() {
        val screen = Robolectric.buildActivity(SongsActivity::class.java).setup().get()
        val list = screen.findViewById<ListView>(R.id.list)
        waitUntil { list.adapter.count > 1 }
        val all = list.adapter.count
        val first = list.adapter.getItem(0) as Track
        screen.findViewById<EditText>(R.id.search).setText(first.title)
        waitUntil { list.adapter.count in 1 until all }
        assertEquals(first.trackId, (list.adapter.getItem(0) as Track).trackId)
    }

    private fun drawAll(look: String) {
        draw("history-empty-$look", HistoryActivity::class.java)
        val history = History(app.history)
        history.add(answer("00000000000000aa", "Nocturne in E-flat major, Op. 9 No. 2", "Frédéric Chopin"), 1_700_000_000_000)
        history.add(answer("00000000000000bb", "", ""), 1_700_000_300_000)
        app.log.add("Music; recording eight seconds")
        app.log.add(app.getString(R.string.log_skipped, app.reasonText("call")))
        draw("history-$look", HistoryActivity::class.java)
        draw("songs-$look", SongsActivity::class.java)
        draw("packs-$look", PacksActivity::class.java)
        draw("status-$look", StatusActivity::class.java)
        draw("settings-$look", SettingsActivity::class.java)
        draw("privacy-$look", PrivacyActivity::class.java)
    }

    private fun answer(id: String, title: String, artist: String) =
        Answer(Track(id, title, artist, "", 200.0, "", emptyMap<String, String>()), 12.0, 0.9, 8.0)

    private fun draw(name: String, kind: Class<out Activity>) {
        Robolectric.buildActivity(kind, Intent()).use { controller ->
            val screen = controller.setup().get()
            if (screen is SongsActivity || screen is PacksActivity) {
                waitUntil { screen.findViewById<ListView>(R.id.list).adapter.count > 0 }
            }
            val look = Look(screen)
            look.save(name)
            assertEquals("objections to $name", "", look.objections().joinToString("\n"))
        }
    }
}
