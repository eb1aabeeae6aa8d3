package org.nowplaying.app

import android.app.Activity
import android.content.Intent
import android.view.Gravity
import android.widget.EditText
import android.widget.FrameLayout
import android.widget.ListView
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.nowplaying.app.Look.Companion.waitUntil
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
    fun onASmallPhone() {
        RuntimeEnvironment.setQualifiers("+w320dp-h500dp")
        drawAll("small")
    }

    @Test
    fun inGerman() {
        RuntimeEnvironment.setQualifiers("+de")
        drawAll("de")
    }

    @Test
    fun inSpanish() {
        RuntimeEnvironment.setQualifiers("+es")
        drawAll("es")
    }

    @Test
    fun inHindi() {
        RuntimeEnvironment.setQualifiers("+hi")
        drawAll("hi")
    }

    @Test
    fun songsAreFoundByTheirNames() {
        val screen = Robolectric.buildActivity(SongsActivity::class.java).setup().get()
        val list = screen.findViewById<ListView>(R.id.list)
        waitUntil { list.adapter.count > 1 }
        val all = list.adapter.count
        val first = list.adapter.getItem(0) as Row
        screen.findViewById<EditText>(R.id.search).setText(first.first)
        waitUntil { list.adapter.count in 1 until all }
        assertEquals(first.cover, (list.adapter.getItem(0) as Row).cover)
    }

    private fun drawAll(look: String) {
        draw("now-empty-$look", MainActivity::class.java)
        Samples.fill(app)
        app.log.add(app.getString(R.string.log_capturing))
        app.log.add(app.getString(R.string.log_skipped, app.reasonText("call")))
        draw("now-off-$look", MainActivity::class.java)
        app.log.setRunning(true)
        draw("now-listening-$look", MainActivity::class.java)
        app.log.setPauseReason("call")
        draw("now-paused-$look", MainActivity::class.java)
        draw("history-$look", MainActivity::class.java) { (it as MainActivity).select(MainActivity.HISTORY) }
        draw("favourites-$look", MainActivity::class.java) {
            (it as MainActivity).select(MainActivity.HISTORY)
            it.findViewById<android.view.View>(R.id.favourites).performClick()
        }
        draw("statistics-$look", MainActivity::class.java) {
            (it as MainActivity).select(MainActivity.STATISTICS)
            waitUntil { it.findViewById<android.widget.TextView>(R.id.entries).text.isNotEmpty() }
        }
        draw("more-$look", MainActivity::class.java) { (it as MainActivity).select(MainActivity.MORE) }
        app.log.queryStarted()
        app.log.takeLevel(-22.0)
        draw("ask-$look", AskActivity::class.java)
        app.log.queryEnded(Samples.answer(Samples.NOCTURNE, "Nocturne in E-flat major", "Frédéric Chopin"))
        draw("answer-$look", AskActivity::class.java)
        draw("song-$look", SongActivity::class.java, SongActivity.intent(app, Samples.NOCTURNE))
        draw("songs-$look", SongsActivity::class.java)
        draw("packs-$look", PacksActivity::class.java)
        draw("status-$look", StatusActivity::class.java)
        draw("battery-$look", BatteryActivity::class.java)
        draw("settings-$look", SettingsActivity::class.java)
        draw("backup-$look", BackupActivity::class.java)
        app.automation.acceptsCommands = true
        draw("automation-$look", AutomationActivity::class.java)
        draw("privacy-$look", PrivacyActivity::class.java)
        draw("widget-$look", WidgetHost::class.java)
    }

    private fun draw(name: String, kind: Class<out Activity>, intent: Intent = Intent(), before: (Activity) -> Unit = {}) {
        Robolectric.buildActivity(kind, intent).use { controller ->
            val screen = controller.setup().get()
            if (screen is SongsActivity || screen is PacksActivity) {
                waitUntil { screen.findViewById<ListView>(R.id.list).adapter.count > 0 }
            }
            before(screen)
            org.robolectric.shadows.ShadowLooper.idleMainLooper()
            val look = Look(screen)
            look.save(name)
            assertEquals("objections to $name", "", look.objections().joinToString("\n"))
        }
    }

    /** Draws the widget as a home screen does. */
    class WidgetHost : Activity() {
        override fun onCreate(state: android.os.Bundle?) {
            super.onCreate(state)
            val place = FrameLayout(this)
            place.setPadding(32, 32, 32, 32)
            // Its size is the user's choice, who makes it higher where text is large.
            val scale = resources.configuration.fontScale
            val high = (96 * scale * scale * resources.displayMetrics.density).toInt()
            val size = FrameLayout.LayoutParams(FrameLayout.LayoutParams.MATCH_PARENT, high, Gravity.CENTER)
            place.addView(SongWidget.views(this).apply(applicationContext, place), size)
            setContentView(place)
        }
    }
}
