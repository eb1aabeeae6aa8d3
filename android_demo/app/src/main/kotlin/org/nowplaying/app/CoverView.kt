package org.nowplaying.app

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.graphics.RectF
import android.util.AttributeSet
import android.view.View
import kotlin.math.min
import kotlin.math.sin

/**
 * A song's picture in the phone's own colours, drawn from its id: the same song always looks the same.
 *
 * Packs have no covers, and the app has no network to fetch any.
 */
class CoverView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val paint = Paint(Paint.ANTI_ALIAS_FLAG)
    private val clip = Path()

    var trackId = ""
        set(value) {
            field = value
            invalidate()
        }

    init {
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_NO
    }

    override fun onDraw(canvas: Canvas) {
        val seed = trackId.hashCode()
        val (under, over) = PAIRS[Math.floorMod(seed, PAIRS.size)]
        val whole = RectF(0f, 0f, width.toFloat(), height.toFloat())
        val radius = min(CORNER_DP * resources.displayMetrics.density, min(width, height) / 3.5f)
        clip.reset()
        clip.addRoundRect(whole, radius, radius, Path.Direction.CW)
        canvas.clipPath(clip)
        canvas.drawColor(context.getColor(under))
        paint.color = context.getColor(over)
        drawBars(canvas, seed)
    }

    /** Bars of different heights, as of a sound. */
    private fun drawBars(canvas: Canvas, seed: Int) {
        val n = BARS * maxOf(1, width / maxOf(1, height))
        val step = width / (n + 1f)
        val phase = Math.floorMod(seed shr 4, 628) / 100f
        val slope = 0.5f + Math.floorMod(seed shr 9, 100) / 90f
        for (bar in 0 until n) {
            val wave = sin(phase + slope * bar) * 0.5f + sin(2.3f * phase + 2.1f * slope * bar) * 0.5f
            val half = height * (0.10f + 0.24f * (0.5f + 0.5f * wave))
            val x = step * (bar + 1)
            val thick = step * 0.26f
            canvas.drawRoundRect(x - thick, height / 2f - half, x + thick, height / 2f + half, thick, thick, paint)
        }
    }

    private companion object {
        const val CORNER_DP = 24
        const val BARS = 5
        val PAIRS = listOf(
            Pair(R.color.primary_container, R.color.primary),
            Pair(R.color.secondary_container, R.color.on_secondary_container),
            Pair(R.color.tertiary_container, R.color.on_tertiary_container),
            Pair(R.color.primary, R.color.primary_container),
            Pair(R.color.on_tertiary_container, R.color.tertiary_container),
        )
    }
}
