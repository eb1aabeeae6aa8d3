package org.nowplaying.app

import android.app.TimePickerDialog
import android.os.Bundle
import android.text.format.DateFormat
import android.view.View
import android.widget.AdapterView
import android.widget.Button
import android.widget.Spinner
import android.widget.Switch

/** Interval, quiet hours, battery, lock screen. */
class SettingsActivity : Screen() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        showScreen(R.layout.settings)
        val settings = app.settings
        choice(R.id.interval, R.array.intervals_s, settings.intervalS) { settings.intervalS = it }
        choice(R.id.battery, R.array.batteries_percent, settings.minBatteryPercent) {
            settings.minBatteryPercent = it
        }
        switch(R.id.quiet, settings.hasQuietHours) {
            settings.hasQuietHours = it
            showQuietHours()
        }
        switch(R.id.lock_screen, settings.showsOnLockScreen) { settings.showsOnLockScreen = it }
        findViewById<View>(R.id.quiet_from).setOnClickListener {
            pick(settings.quietFromMinute) { settings.quietFromMinute = it }
        }
        findViewById<View>(R.id.quiet_until).setOnClickListener {
            pick(settings.quietUntilMinute) { settings.quietUntilMinute = it }
        }
        showQuietHours()
    }

    private fun choice(view: Int, values: Int, now: Int, set: (Int) -> Unit) {
        val known = resources.getIntArray(values)
        val spinner = findViewById<Spinner>(view)
        spinner.setSelection(maxOf(0, known.indexOf(now)))
        spinner.onItemSelectedListener = object : AdapterView.OnItemSelectedListener {
            override fun onItemSelected(parent: AdapterView<*>?, row: View?, position: Int, id: Long) {
                set(known[position])
                ListenService.settingsChanged(this@SettingsActivity)
            }

            override fun onNothingSelected(parent: AdapterView<*>?) = Unit
        }
    }

    private fun switch(view: Int, now: Boolean, set: (Boolean) -> Unit) {
        val button = findViewById<Switch>(view)
        button.isChecked = now
        button.setOnCheckedChangeListener { _, isOn ->
            set(isOn)
            ListenService.settingsChanged(this)
        }
    }

    private fun pick(minute: Int, set: (Int) -> Unit) {
        val onTime = TimePickerDialog.OnTimeSetListener { _, hours, minutes ->
            set(60 * hours + minutes)
            showQuietHours()
            ListenService.settingsChanged(this)
        }
        TimePickerDialog(this, onTime, minute / 60, minute % 60, DateFormat.is24HourFormat(this)).show()
    }

    private fun showQuietHours() {
        val settings = app.settings
        val from = findViewById<Button>(R.id.quiet_from)
        val until = findViewById<Button>(R.id.quiet_until)
        from.isEnabled = settings.hasQuietHours
        until.isEnabled = settings.hasQuietHours
        from.text = getString(R.string.setting_quiet_from, minuteText(settings.quietFromMinute))
        until.text = getString(R.string.setting_quiet_until, minuteText(settings.quietUntilMinute))
    }
}
