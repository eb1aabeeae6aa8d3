package org.nowplaying.app

import android.Manifest
import android.app.Activity
import android.content.Intent
import android.content.pm.PackageManager
import android.widget.Toast

/**
 * Passes on a command of another app, and ends.
 *
 * It is a screen and no receiver of broadcasts, because Android 14 and newer let a service with a microphone start only while
 * something of the app is visible.
 */
class CommandActivity : Activity() {
    override fun onResume() {
        super.onResume()
        if (app.automation.isAllowed(intent.getStringExtra(Automation.TOKEN))) {
            obey(intent.action)
        } else {
            Toast.makeText(this, R.string.automation_refused, Toast.LENGTH_LONG).show()
        }
        finish()
    }

    private fun obey(action: String?) {
        val isAllowed = checkSelfPermission(Manifest.permission.RECORD_AUDIO) == PackageManager.PERMISSION_GRANTED
        when (action) {
            Automation.STOP -> ListenService.stop(this)
            Automation.ASK -> startActivity(Intent(this, AskActivity::class.java))
            // Without the permission the first screen has to explain and ask.
            Automation.START -> if (isAllowed) {
                ListenService.start(this, ListenService.LISTEN)
            } else {
                startActivity(Intent(this, MainActivity::class.java))
            }
        }
    }
}
