package org.nowplaying.app

import android.content.ClipData
import android.content.ClipboardManager
import android.os.Bundle
import android.view.View
import android.widget.Switch
import android.widget.TextView
import android.widget.Toast

/** Whether other apps may give commands, with which token, and whether they learn the songs. */
class AutomationActivity : Screen() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        showScreen(R.layout.automation)
        val automation = app.automation
        val actions = listOf(Automation.START, Automation.STOP, Automation.ASK).joinToString("\n")
        findViewById<TextView>(R.id.help).text = getString(R.string.automation_help, actions)
        switch(R.id.commands, automation.acceptsCommands) {
            automation.acceptsCommands = it
            show()
        }
        switch(R.id.announce, automation.announcesSongs) { automation.announcesSongs = it }
        findViewById<View>(R.id.renew).setOnClickListener {
            automation.renew()
            show()
        }
        findViewById<View>(R.id.copy).setOnClickListener {
            getSystemService(ClipboardManager::class.java).setPrimaryClip(ClipData.newPlainText(Automation.TOKEN, automation.token))
            Toast.makeText(this, R.string.copied, Toast.LENGTH_SHORT).show()
        }
        show()
    }

    private fun switch(view: Int, now: Boolean, set: (Boolean) -> Unit) {
        val button = findViewById<Switch>(view)
        button.isChecked = now
        button.setOnCheckedChangeListener { _, isOn -> set(isOn) }
    }

    private fun show() {
        val isOn = app.automation.acceptsCommands
        for (part in intArrayOf(R.id.token, R.id.copy, R.id.renew)) {
            findViewById<View>(part).visibility = if (isOn) View.VISIBLE else View.GONE
        }
        findViewById<TextView>(R.id.token).text = if (isOn) app.automation.token else ""
    }
}
