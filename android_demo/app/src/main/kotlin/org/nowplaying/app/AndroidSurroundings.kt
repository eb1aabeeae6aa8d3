package org.nowplaying.app

import android.content.Context
import android.media.AudioManager
import android.os.BatteryManager
import android.os.PowerManager
import java.util.Calendar
import org.nowplaying.core.listen.Surroundings

/** What the phone knows of itself, through system services that need no permission. */
class AndroidSurroundings(context: Context) : Surroundings {
    private val audio = context.getSystemService(AudioManager::class.java)
    private val power = context.getSystemService(PowerManager::class.java)
    private val battery = context.getSystemService(BatteryManager::class.java)

    override fun minuteOfDay(): Int {
        val now = Calendar.getInstance()
        return 60 * now.get(Calendar.HOUR_OF_DAY) + now.get(Calendar.MINUTE)
    }

    override fun wallMs(): Long = System.currentTimeMillis()

    override fun batteryPercent(): Int = battery.getIntProperty(BatteryManager.BATTERY_PROPERTY_CAPACITY)

    override fun isCharging(): Boolean = battery.isCharging

    override fun isSavingPower(): Boolean = power.isPowerSaveMode

    override fun isInCall(): Boolean =
        audio.mode == AudioManager.MODE_IN_CALL || audio.mode == AudioManager.MODE_IN_COMMUNICATION

    override fun isPlaying(): Boolean = audio.isMusicActive
}
