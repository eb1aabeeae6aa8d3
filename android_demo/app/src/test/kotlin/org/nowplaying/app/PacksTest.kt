package org.nowplaying.app

import android.app.Activity
import android.content.DialogInterface
import android.content.Intent
import android.net.Uri
import android.view.View
import android.widget.ListView
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.FilterInputStream
import java.util.concurrent.CountDownLatch
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.nowplaying.app.Look.Companion.waitUntil
import org.nowplaying.core.artifact.ArtifactException
import org.nowplaying.core.artifact.FileHash
import org.nowplaying.core.artifact.Json
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlertDialog
import org.robolectric.shadows.ShadowLooper.idleMainLooper

/** Packs that users add, replace and keep over new versions of the app. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [33])
class PacksTest {
    private val app get() = RuntimeEnvironment.getApplication() as NowPlayingApp
    private val demo = File(System.getProperty("golden")!!, "demo.npdb")

    private fun zip(): ByteArray {
        val bytes = ByteArrayOutputStream()
        ZipOutputStream(bytes).use { zip ->
            for (file in demo.listFiles()!!) {
                zip.putNextEntry(ZipEntry("mine.npdb/${file.name}"))
                zip.write(file.readBytes())
            }
        }
        return bytes.toByteArray()
    }

    @Test
    fun aScreenThatIsTurnedDoesNotEndAnImport() {
        val mayRead = CountDownLatch(1)
        val slow = object : FilterInputStream(ByteArrayInputStream(zip())) {
            override fun read(bytes: ByteArray, offset: Int, length: Int): Int {
                mayRead.await()
                return super.read(bytes, offset, length)
            }
        }
        val controller = Robolectric.buildActivity(PacksActivity::class.java).setup()
        controller.get().findViewById<View>(R.id.add).performClick()
        val asked = shadowOf(controller.get()).nextStartedActivityForResult.intent
        val place = Uri.parse("content://somewhere/mine.zip")
        shadowOf(app.contentResolver).registerInputStream(place, slow)
        shadowOf(controller.get()).receiveResult(asked, Activity.RESULT_OK, Intent().setData(place))
        controller.recreate()
        mayRead.countDown()
        waitUntil { app.library.packs().any { it.name == "mine" } }
    }

    @Test
    fun whatListensIsToldOfEachChangeOfThePacks() {
        app.log.setRunning(true)
        val screen = Robolectric.buildActivity(PacksActivity::class.java).setup().get()
        screen.findViewById<View>(R.id.add).performClick()
        val asked = shadowOf(screen).nextStartedActivityForResult.intent
        val place = Uri.parse("content://somewhere/mine.zip")
        shadowOf(app.contentResolver).registerInputStream(place, ByteArrayInputStream(zip()))
        shadowOf(screen).receiveResult(asked, Activity.RESULT_OK, Intent().setData(place))
        val list = screen.findViewById<ListView>(R.id.list)
        waitUntil { list.adapter.count == 2 }
        assertEquals(listOf(ListenService.PACKS_CHANGED), started())
        shadowOf(list).performItemClick(1)
        val choice = ShadowAlertDialog.getLatestAlertDialog()
        choice.listView.performItemClick(null, 0, 0)
        assertEquals(listOf(ListenService.PACKS_CHANGED), started())
        choice.getButton(DialogInterface.BUTTON_NEGATIVE).performClick()
        idleMainLooper()
        ShadowAlertDialog.getLatestAlertDialog().getButton(DialogInterface.BUTTON_POSITIVE).performClick()
        idleMainLooper()
        waitUntil { app.library.packs().none { it.name == "mine" } }
        waitUntil { started() == listOf(ListenService.PACKS_CHANGED) }
    }

    /** Returns what services have been asked for since the last call. */
    private fun started() = generateSequence { shadowOf(app).nextStartedService }.map { it.action }.toList()

    @Test
    fun aPackOfAnotherEncoderIsNamedAndDoesNotStopTheOthers() {
        val old = app.filesDir.resolve("packs/old.npdb")
        demo.copyRecursively(old)
        val manifest = old.resolve("manifest.json")
        @Suppress("UNCHECKED_CAST")
        val table = (Json.parse(manifest.readText()) as Map<String, Any?>) - "digest" + ("embedding_space" to "another")
        manifest.writeText(Json.canonical(table + ("digest" to FileHash.sha256(Json.canonical(table)))))
        val (shipped, added) = app.library.packs().partition { it.isShipped }
        assertTrue(added.single().error!!.contains("another"))
        assertEquals(shipped.sumOf { it.songs }, app.library.songs().search("", 1000).size)
        assertNotNull(app.library.open())
    }

    @Test
    fun songsOfAPackThatWasReplacedAreNotLookedUpInTheNewOne() {
        app.library.add(ByteArrayInputStream(zip()))
        val opened = app.library.songs()
        app.library.packs().filter { it.isShipped }.forEach { app.library.use(it, false) }
        val alone = app.library.songs()
        assertEquals(opened.track(0).trackId, alone.track(0).trackId)
        val songs = app.filesDir.resolve("packs/mine.npdb").listFiles()!!.single { it.name.startsWith("songs-") }
        songs.setLastModified(songs.lastModified() + 60_000)
        assertThrows(ArtifactException::class.java) { alone.track(0) }
    }
}
