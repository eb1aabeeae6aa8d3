package org.nowplaying.app

import android.content.Context
import android.media.AudioManager
import android.os.BatteryManager
import android.os.PowerManager
import android.os.SystemClock
import java.util.Calendar
import org.nowplaying.core.listen.Surroundings

/**
 * What the phone knows of itself, through system services that need no permission.
 *
 * Asked ten times a second; each question goes to another process, so the answers are kept for a second.
 */
class AndroidSurroundings(context: Context) : Surroundings {
    private val audio = context.getSystemService(AudioManager::class.java)
    private val power = context.getSystemService(PowerManager::class.java)
    private val battery = context.getSystemService(BatteryManager::class.java)
    private var known = look()

    private class Look(
        val atMs: Long,
        val minuteOfDay: Int,
        val batteryPercent: Int,
        val isCharging: Boolean,
        val isSavingPower: Boolean,
        val isInCall: Boolean,
        val isPlaying: Boolean,
    )

    private fun look(): Look {
        val now = Calendar.getInstance()
        val mode = audio.mode
        return Look(
            atMs = SystemClock.elapsedRealtime(),
            minuteOfDay = 60 * now.get(Calendar.HOUR_OF_DAY) + now.get(Calendar.MINUTE),
            batteryPercent = battery.getIntProperty(BatteryManager.BATTERY_PROPERTY_CAPACITY),
            isCharging = battery.isCharging,
            isSavingPower = power.isPowerSaveMode,
            isInCall = mode == AudioManager.MODE_IN_CALL || mode == AudioManager.MODE_IN_COMMUNICATION,
            isPlaying = audio.isMusicActive,
        )
    }

    private fun fresh(): Look {
        if (SystemClock.elapsedRealtime() - known.atMs >= KEPT_MS) {
            known = look()
        }
        return known
    }

    override fun minuteOfDay(): Int = fresh().minuteOfDay

    override fun batteryPercent(): Int = fresh().batteryPercent

    override fun isCharging(): Boolean = fresh().isCharging

    override fun isSavingPower(): Boolean = fresh().isSavingPower

    override fun isInCall(): Boolean = fresh().isInCall

    override fun isPlaying(): Boolean = fresh().isPlaying

    private companion object {
        const val KEPT_MS = 1000L
    }
}
