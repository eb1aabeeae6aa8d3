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
import java.io.IOException
import java.util.concurrent.CountDownLatch
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
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

    private fun zip(pack: File = demo): ByteArray {
        val bytes = ByteArrayOutputStream()
        ZipOutputStream(bytes).use { zip ->
            for (file in pack.listFiles()!!) {
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
        change(app.filesDir.resolve("packs/old.npdb"), "embedding_space" to "another")
        assertTrue(theOnlyUnusable().contains("another"))
    }

    @Test
    fun aPackThatWasMadeOtherwiseIsNamedAndDoesNotStopTheOthers() {
        change(app.filesDir.resolve("packs/sparse.npdb"), "hop_s" to 0.5)
        assertTrue(theOnlyUnusable().contains("hop_s is 0.5, but ${app.library.packs().first().name}.npdb has"))
        app.library.packs().filter { it.isShipped }.forEach { app.library.use(it, false) }
        assertEquals("alone it can be searched", 0.5, app.library.songs().hopS(), 0.0)
    }

    @Test
    fun aPackThatIsDamagedLaterIsNamedAndDoesNotStopTheOthers() {
        app.library.add(ByteArrayInputStream(zip()))
        assertTrue(app.library.packs().all { it.error == null })
        val codes = app.filesDir.resolve("packs/mine.npdb").listFiles()!!.single { it.name.startsWith("codes-") }
        codes.writeBytes(codes.readBytes().also { it[it.size / 2] = (it[it.size / 2] + 1).toByte() })
        assertTrue(theOnlyUnusable().contains(codes.name))
        app.library.packs().filter { it.isShipped }.forEach { app.library.use(it, false) }
        val nothing = assertThrows(IOException::class.java) { app.library.songs() }
        assertTrue(nothing.message!!.contains(codes.name))
    }

    @Test
    fun aPackThatWasMadeOtherwiseIsRefusedWithTheReason() {
        val sparse = app.cacheDir.resolve("sparse.npdb")
        change(sparse, "hop_s" to 0.5)
        val screen = Robolectric.buildActivity(PacksActivity::class.java).setup().get()
        screen.findViewById<View>(R.id.add).performClick()
        val asked = shadowOf(screen).nextStartedActivityForResult.intent
        val place = Uri.parse("content://somewhere/mine.zip")
        shadowOf(app.contentResolver).registerInputStream(place, ByteArrayInputStream(zip(sparse)))
        shadowOf(screen).receiveResult(asked, Activity.RESULT_OK, Intent().setData(place))
        waitUntil { ShadowAlertDialog.getLatestAlertDialog() != null }
        val message = shadowOf(ShadowAlertDialog.getLatestAlertDialog()).message.toString()
        assertTrue(message, message.contains("hop_s is 0.5, but"))
        assertTrue(app.library.packs().all { it.isShipped })
    }

    @Test
    fun aPackThatWasSwitchedOffAndDeletedIsSearchedWhenItIsAddedAgain() {
        app.library.add(ByteArrayInputStream(zip()))
        val added = app.library.packs().single { !it.isShipped }
        app.library.use(added, false)
        assertEquals("only this one is off", listOf(added.name), app.library.packs().filter { !it.isUsed }.map { it.name })
        app.library.delete(added)
        app.library.add(ByteArrayInputStream(zip()))
        assertTrue(app.library.packs().all { it.isUsed })
    }

    @Test
    fun anAddedPackHasASwitchOfItsOwnWhereTheAppHasOneOfItsName() {
        val shipped = app.library.packs().single()
        demo.copyRecursively(app.filesDir.resolve("packs/${shipped.folder.fileName}"))
        app.library.use(shipped, false)
        app.library.packs().forEach { assertEquals(it.isShipped, !it.isUsed) }
        app.library.delete(app.library.packs().single { !it.isShipped })
        assertFalse(app.library.packs().single().isUsed)
    }

    /** Writes the demo's pack with another value in its manifest. */
    private fun change(pack: File, value: Pair<String, Any>) {
        demo.copyRecursively(pack)
        val manifest = pack.resolve("manifest.json")
        @Suppress("UNCHECKED_CAST")
        val table = (Json.parse(manifest.readText()) as Map<String, Any?>) - "digest" + value
        manifest.writeText(Json.canonical(table + ("digest" to FileHash.sha256(Json.canonical(table)))))
    }

    /** Returns why the added pack cannot be used, and demands that all others are searched. */
    private fun theOnlyUnusable(): String {
        val (shipped, added) = app.library.packs().partition { it.isShipped }
        val error = added.single().error!!
        assertEquals(shipped.sumOf { it.songs }, app.library.songs().search("", 1000).size)
        assertEquals(listOf(error), app.library.open().errors)
        return error
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
