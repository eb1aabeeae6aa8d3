package org.nowplaying.app

import android.content.Context
import org.nowplaying.core.listen.Preferences

/** Settings of the user, stored over restarts. */
class Settings(context: Context) {
    private val stored = context.getSharedPreferences("settings", Context.MODE_PRIVATE)

    var intervalS: Int
        get() = stored.getInt("interval_s", 0)
        set(value) = stored.edit().putInt("interval_s", value).apply()

    var hasQuietHours: Boolean
        get() = stored.getBoolean("quiet", false)
        set(value) = stored.edit().putBoolean("quiet", value).apply()

    var quietFromMinute: Int
        get() = stored.getInt("quiet_from", 22 * 60)
        set(value) = stored.edit().putInt("quiet_from", value).apply()

    var quietUntilMinute: Int
        get() = stored.getInt("quiet_until", 7 * 60)
        set(value) = stored.edit().putInt("quiet_until", value).apply()

    var minBatteryPercent: Int
        get() = stored.getInt("min_battery", 20)
        set(value) = stored.edit().putInt("min_battery", value).apply()

    var showsOnLockScreen: Boolean
        get() = stored.getBoolean("lock_screen", true)
        set(value) = stored.edit().putBoolean("lock_screen", value).apply()

    fun preferences(): Preferences {
        val from = if (hasQuietHours) quietFromMinute else 0
        val until = if (hasQuietHours) quietUntilMinute else 0
        return Preferences(intervalS, from, until, minBatteryPercent)
    }
}
