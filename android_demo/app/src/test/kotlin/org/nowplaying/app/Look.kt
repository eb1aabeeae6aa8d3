package org.nowplaying.app

import android.app.Activity
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Rect
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.AdapterView
import android.widget.EditText
import android.widget.TextView
import java.io.File
import kotlin.math.min
import kotlin.math.pow
import org.robolectric.Shadows.shadowOf

/** A drawn screen, with checks for low vision, touch targets and screen readers. */
class Look(activity: Activity) {
    private val root: View = activity.window.decorView
    private val leastTouchPx = (48 * activity.resources.displayMetrics.density).toInt() - 1
    private val bitmap: Bitmap = Bitmap.createBitmap(root.width, root.height, Bitmap.Config.ARGB_8888)

    private val pixels = IntArray(root.width * root.height)

    init {
        root.draw(Canvas(bitmap))
        bitmap.getPixels(pixels, 0, root.width, 0, 0, root.width, root.height)
    }

    fun save(name: String) {
        val folder = File(System.getProperty("screens") ?: return)
        folder.mkdirs()
        File(folder, "$name.png").outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    /** Returns one line for each objection. */
    fun objections(): List<String> = views(root).filter { it.isShown && it.width > 0 }.flatMap { view ->
        listOfNotNull(
            "cannot be named aloud".takeIf { view.isClickable && view.isEnabled && words(view).isBlank() },
            "${view.height} px high, $leastTouchPx expected".takeIf {
                view.isClickable && view.isEnabled && view !is AdapterView<*> && view.height < leastTouchPx
            },
            "its text is cut off".takeIf { view is TextView && view !is EditText && isCut(view) },
            (view as? TextView)?.let { contrast(it) }?.takeIf { it < 4.5 }?.let { "contrast %.1f, 4.5 expected".format(it) },
        ).map { "${view.javaClass.simpleName} \"${words(view)}\": $it" }
    }

    private fun isCut(view: TextView): Boolean {
        val layout = view.layout ?: return false
        val room = view.height - view.compoundPaddingTop - view.compoundPaddingBottom
        return layout.height > room + 1 || (0 until layout.lineCount).any { layout.getEllipsisCount(it) > 0 }
    }

    /** Returns the ratio of luminances of text and what lies under it (WCAG 2.1), or null where there is no text. */
    private fun contrast(view: TextView): Double? {
        val place = Rect()
        if (!view.isEnabled || view.text.isEmpty() || !view.getGlobalVisibleRect(place)) {
            return null
        }
        val counts = HashMap<Int, Int>()
        for (y in place.top until min(place.bottom, bitmap.height)) {
            for (x in place.left until min(place.right, bitmap.width)) {
                counts.merge(pixels[y * root.width + x], 1, Int::plus)
            }
        }
        val under = counts.maxByOrNull { it.value }!!.key
        val lights = listOf(luminance(under, under), luminance(view.currentTextColor, under))
        return (lights.max() + 0.05) / (lights.min() + 0.05)
    }

    /** Returns the relative luminance of ink that may be translucent. */
    private fun luminance(ink: Int, under: Int): Double {
        val share = Color.alpha(ink) / 255.0
        fun linear(part: (Int) -> Int): Double {
            val value = (share * part(ink) + (1 - share) * part(under)) / 255
            return if (value <= 0.04045) value / 12.92 else ((value + 0.055) / 1.055).pow(2.4)
        }
        return 0.2126 * linear(Color::red) + 0.7152 * linear(Color::green) + 0.0722 * linear(Color::blue)
    }

    companion object {
        fun views(view: View): List<View> =
            listOf(view) + if (view is ViewGroup) (0 until view.childCount).flatMap { views(view.getChildAt(it)) } else emptyList()

        /** Returns what a screen reader says. */
        private fun words(view: View): String {
            view.contentDescription?.let { return it.toString() }
            return when (view) {
                is EditText -> "${view.text}${view.hint ?: ""}"
                is TextView -> view.text.toString()
                is ViewGroup -> (0 until view.childCount).joinToString(" ") { words(view.getChildAt(it)) }
                else -> ""
            }
        }

        /** Lets everything happen that other threads have handed to the screen, until something is so. */
        fun waitUntil(isSo: () -> Boolean) {
            val endMs = System.currentTimeMillis() + 180_000
            while (!isSo()) {
                check(System.currentTimeMillis() < endMs) { "it did not happen within three minutes" }
                Thread.sleep(10)
                shadowOf(Looper.getMainLooper()).idle()
            }
        }
    }
}
