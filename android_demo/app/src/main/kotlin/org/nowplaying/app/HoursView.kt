package org.nowplaying.app

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.util.AttributeSet
import android.view.View

/** The hours of the day as bars; a screen reader says the one with most songs. */
class HoursView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val bars = Paint(Paint.ANTI_ALIAS_FLAG)
    private val text = Paint(Paint.ANTI_ALIAS_FLAG)

    var byHour = IntArray(HOURS)
        set(value) {
            field = value
            val most = value.indices.maxByOrNull { value[it] } ?: 0
            contentDescription = context.getString(R.string.by_hour_spoken, context.minuteText(60 * most))
            invalidate()
        }

    init {
        text.color = context.getColor(R.color.on_surface_variant)
        val scaled = android.util.TypedValue.COMPLEX_UNIT_SP
        text.textSize = android.util.TypedValue.applyDimension(scaled, TEXT_SP, resources.displayMetrics)
        text.textAlign = Paint.Align.CENTER
    }

    override fun onDraw(canvas: Canvas) {
        val base = height - 1.6f * text.textSize
        val step = width / HOURS.toFloat()
        val most = maxOf(1, byHour.max())
        val least = 3 * resources.displayMetrics.density
        val isMirrored = layoutDirection == LAYOUT_DIRECTION_RTL
        for (hour in 0 until HOURS) {
            val x = step * (if (isMirrored) HOURS - 1 - hour else hour)
            val high = maxOf(least, base * byHour[hour] / most)
            bars.color = context.getColor(if (byHour[hour] > 0) R.color.primary else R.color.surface_high)
            canvas.drawRoundRect(x + 0.14f * step, base - high, x + 0.86f * step, base, step / 3, step / 3, bars)
            if (hour % LABEL_EVERY == 0) {
                canvas.drawText(String.format(java.util.Locale.getDefault(), "%d", hour), x + step / 2, height - 0.3f * text.textSize, text)
            }
        }
    }

    private companion object {
        const val HOURS = 24
        const val LABEL_EVERY = 6
        const val TEXT_SP = 12f
    }
}
