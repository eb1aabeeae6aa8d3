package org.nowplaying.app

import android.app.Activity
import android.app.AlertDialog
import android.content.Context
import android.os.Build
import android.view.View
import android.view.ViewGroup
import android.view.WindowInsets
import android.widget.TextView
import android.widget.Toast

/** A screen in the user's language that reaches behind the system's bars and keeps its content clear of them. */
abstract class Screen : Activity() {
    override fun attachBaseContext(base: Context) = super.attachBaseContext(Languages.localized(base))

    /** Shows a layout below a bar with the screen's name and the way back. */
    protected fun showScreen(layout: Int) {
        setContentView(R.layout.screen)
        layoutInflater.inflate(layout, findViewById<ViewGroup>(R.id.content))
        findViewById<TextView>(R.id.headline).text = title
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        keepClearOfBars()
    }

    /** Runs a task in the background, and shows the text that it returns, or its error. */
    protected fun work(task: () -> String?) = app.worker.execute {
        try {
            task()?.let { runOnUiThread { toast(it) } }
        } catch (error: Exception) { // files, and apps that keep them, fail in many ways
            val message = getString(R.string.failed, error.message ?: error.javaClass.simpleName)
            runOnUiThread { showError(message) }
        }
    }

    private fun toast(message: String) = Toast.makeText(applicationContext, message, Toast.LENGTH_LONG).show()

    /** Shows an error as a dialog, because a toast ends after two lines; a screen that is gone has no dialogs. */
    private fun showError(message: String) {
        if (isFinishing || isDestroyed) {
            toast(message)
        } else {
            AlertDialog.Builder(this).setMessage(message).setPositiveButton(android.R.string.ok, null).show()
        }
    }

    /** Pads the view with the id `screen` by the system's bars, the cutout and the keyboard. */
    protected fun keepClearOfBars() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            window.setDecorFitsSystemWindows(false)
        }
        val screen = findViewById<View>(R.id.screen)
        tame(screen)
        screen.setOnApplyWindowInsetsListener { view, insets ->
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
                val kinds = WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout() or WindowInsets.Type.ime()
                val bars = insets.getInsets(kinds)
                view.setPadding(bars.left, bars.top, bars.right, bars.bottom)
                WindowInsets.CONSUMED
            } else {
                @Suppress("DEPRECATION")
                view.setPadding(
                    insets.systemWindowInsetLeft, insets.systemWindowInsetTop,
                    insets.systemWindowInsetRight, insets.systemWindowInsetBottom,
                )
                @Suppress("DEPRECATION")
                insets.consumeSystemWindowInsets()
            }
        }
    }
}

/** Text grows with the user's setting, but what is large already grows less, so that words stay whole (as Android 14 does). */
fun tame(view: View) {
    val scale = view.resources.configuration.fontScale
    val least = LARGE_SP * view.resources.displayMetrics.density * scale
    if (view is TextView && scale > LARGE_SCALE && view.textSize >= least) {
        view.setTextSize(android.util.TypedValue.COMPLEX_UNIT_PX, view.textSize * LARGE_SCALE / scale)
    }
    if (view is ViewGroup) {
        (0 until view.childCount).forEach { tame(view.getChildAt(it)) }
    }
}

private const val LARGE_SP = 28
private const val LARGE_SCALE = 1.3f

/** A screen that shows the activity log, and redraws whenever it changes. */
abstract class ObservingScreen : Screen() {
    private val refresh: () -> Unit = { show() }

    protected abstract fun show()

    override fun onStart() {
        super.onStart()
        app.log.watch(refresh)
    }

    override fun onStop() {
        app.log.unwatch(refresh)
        super.onStop()
    }
}
