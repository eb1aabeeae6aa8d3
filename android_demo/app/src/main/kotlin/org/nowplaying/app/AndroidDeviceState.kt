package org.nowplaying.app

import android.content.Context
import android.media.AudioManager
import android.os.BatteryManager
import android.os.PowerManager
import android.os.SystemClock
import java.util.Calendar
import org.nowplaying.core.listen.DeviceState

/**
 * State of the phone, from system services that need no permission.
 *
 * It is read ten times a second, and each reading calls another process, so values are cached for a second.
 */
class AndroidDeviceState(context: Context) : DeviceState {
    private val audio = context.getSystemService(AudioManager::class.java)
    private val power = context.getSystemService(PowerManager::class.java)
    private val battery = context.getSystemService(BatteryManager::class.java)
    private var cached = read()

    private class Snapshot(
        val atMs: Long,
        val minuteOfDay: Int,
        val batteryPercent: Int,
        val isCharging: Boolean,
        val isSavingPower: Boolean,
        val isInCall: Boolean,
        val isPlaying: Boolean,
    )

    private fun read(): Snapshot {
        val now = Calendar.getInstance()
        val mode = audio.mode
        return Snapshot(
            atMs = SystemClock.elapsedRealtime(),
            minuteOfDay = 60 * now.get(Calendar.HOUR_OF_DAY) + now.get(Calendar.MINUTE),
            // Negative where there is no battery to ask.
            batteryPercent = battery.getIntProperty(BatteryManager.BATTERY_PROPERTY_CAPACITY).takeIf { it >= 0 } ?: 100,
            isCharging = battery.isCharging,
            isSavingPower = power.isPowerSaveMode,
            isInCall = mode == AudioManager.MODE_IN_CALL || mode == AudioManager.MODE_IN_COMMUNICATION,
            isPlaying = audio.isMusicActive,
        )
    }

    private fun current(): Snapshot {
        if (SystemClock.elapsedRealtime() - cached.atMs >= CACHED_MS) {
            cached = read()
        }
        return cached
    }

    override fun minuteOfDay(): Int = current().minuteOfDay

    override fun batteryPercent(): Int = current().batteryPercent

    override fun isCharging(): Boolean = current().isCharging

    override fun isSavingPower(): Boolean = current().isSavingPower

    override fun isInCall(): Boolean = current().isInCall

    override fun isPlaying(): Boolean = current().isPlaying

    private companion object {
        const val CACHED_MS = 1000L
    }
}
