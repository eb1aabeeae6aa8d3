package org.nowplaying.app

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.util.AttributeSet
import android.view.View
import kotlin.math.min

/** The level of the sound as circles that grow with it. */
class LevelView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val paint = Paint(Paint.ANTI_ALIAS_FLAG)
    private val icon = context.getDrawable(R.drawable.ic_mic)!!.mutate()
    private var shown = 0f

    /** Gives the level in dBFS while it listens, and null otherwise. */
    var source: () -> Double? = { null }

    init {
        contentDescription = context.getString(R.string.level)
    }

    override fun onDraw(canvas: Canvas) {
        val level = source()
        val target = if (level == null) 0f else ((level - QUIET_DBFS) / (LOUD_DBFS - QUIET_DBFS)).coerceIn(0.0, 1.0).toFloat()
        shown += SMOOTHING * (target - shown)
        val x = width / 2f
        val y = height / 2f
        val least = min(width, height) / 5f
        val most = min(width, height) / 2.1f
        for ((share, color) in listOf(
            Pair(1f, R.color.surface_container), Pair(0.6f, R.color.secondary_container), Pair(0.25f, R.color.primary_container),
        )) {
            paint.color = context.getColor(color)
            canvas.drawCircle(x, y, least + (most - least) * share * (0.45f + 0.55f * shown), paint)
        }
        paint.color = context.getColor(R.color.primary)
        canvas.drawCircle(x, y, least * 0.8f, paint)
        val half = (least * 0.36f).toInt()
        icon.setTint(context.getColor(R.color.on_primary))
        icon.setBounds(x.toInt() - half, y.toInt() - half, x.toInt() + half, y.toInt() + half)
        icon.draw(canvas)
        if (level != null) {
            postInvalidateOnAnimation()
        }
    }

    private companion object {
        const val QUIET_DBFS = -60.0
        const val LOUD_DBFS = -10.0
        const val SMOOTHING = 0.25f
    }
}
