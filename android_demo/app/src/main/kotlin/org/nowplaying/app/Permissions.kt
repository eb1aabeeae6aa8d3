package org.nowplaying.app

import android.Manifest
import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Build
import android.provider.Settings as SystemSettings

/** Asks for a permission when it is needed, and explains the reason first. */
class Permissions(private val activity: Activity) {
    private var then: (() -> Unit)? = null

    /** Does something as soon as the microphone is allowed; without notifications it works too. */
    fun withMicrophone(action: () -> Unit) {
        then = action
        if (has(Manifest.permission.RECORD_AUDIO)) {
            askForNotifications()
        } else {
            explain(R.string.why_microphone_title, R.string.why_microphone, onRefused = {}) {
                activity.requestPermissions(arrayOf(Manifest.permission.RECORD_AUDIO), MICROPHONE)
            }
        }
    }

    /** Receives Android's answer. */
    fun onResult(request: Int) {
        when (request) {
            MICROPHONE -> if (has(Manifest.permission.RECORD_AUDIO)) askForNotifications() else explainRefusal()
            NOTIFICATIONS -> goOn()
        }
    }

    private fun askForNotifications() {
        val isNeeded = Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU
        val asked = activity.getSharedPreferences("asked", Activity.MODE_PRIVATE)
        if (!isNeeded || has(Manifest.permission.POST_NOTIFICATIONS) || asked.getBoolean(ASKED, false)) {
            goOn()
            return
        }
        // Only once: somebody who has refused is not asked again.
        asked.edit().putBoolean(ASKED, true).apply()
        explain(R.string.why_notifications_title, R.string.why_notifications, onRefused = { goOn() }) {
            activity.requestPermissions(arrayOf(Manifest.permission.POST_NOTIFICATIONS), NOTIFICATIONS)
        }
    }

    private fun goOn() {
        val action = then
        then = null
        action?.invoke()
    }

    private fun has(permission: String) =
        activity.checkSelfPermission(permission) == PackageManager.PERMISSION_GRANTED

    private fun explain(title: Int, text: Int, onRefused: () -> Unit, onAgreed: () -> Unit) {
        AlertDialog.Builder(activity)
            .setTitle(title)
            .setMessage(text)
            .setPositiveButton(R.string.go_on) { _, _ -> onAgreed() }
            .setNegativeButton(R.string.not_now) { _, _ -> onRefused() }
            .setOnCancelListener { onRefused() }
            .show()
    }

    private fun explainRefusal() {
        AlertDialog.Builder(activity)
            .setTitle(R.string.why_microphone_title)
            .setMessage(R.string.denied_microphone)
            .setPositiveButton(R.string.open_settings) { _, _ ->
                val uri = Uri.fromParts("package", activity.packageName, null)
                activity.startActivity(Intent(SystemSettings.ACTION_APPLICATION_DETAILS_SETTINGS, uri))
            }
            .setNegativeButton(R.string.not_now, null)
            .show()
    }

    private companion object {
        const val MICROPHONE = 1
        const val NOTIFICATIONS = 2
        const val ASKED = "asked_for_notifications"
    }
}
