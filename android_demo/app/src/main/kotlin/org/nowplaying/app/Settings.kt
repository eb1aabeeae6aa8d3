package org.nowplaying.app

import android.content.Context
import org.nowplaying.core.listen.Preferences

/** What the user has set, kept over restarts. */
class Settings(context: Context) {
    private val kept = context.getSharedPreferences("settings", Context.MODE_PRIVATE)

    var intervalS: Int
        get() = kept.getInt("interval_s", 0)
        set(value) = kept.edit().putInt("interval_s", value).apply()

    var hasQuietHours: Boolean
        get() = kept.getBoolean("quiet", false)
        set(value) = kept.edit().putBoolean("quiet", value).apply()

    var quietFromMinute: Int
        get() = kept.getInt("quiet_from", 22 * 60)
        set(value) = kept.edit().putInt("quiet_from", value).apply()

    var quietUntilMinute: Int
        get() = kept.getInt("quiet_until", 7 * 60)
        set(value) = kept.edit().putInt("quiet_until", value).apply()

    var leastBatteryPercent: Int
        get() = kept.getInt("least_battery", 20)
        set(value) = kept.edit().putInt("least_battery", value).apply()

    var showsOnLockScreen: Boolean
        get() = kept.getBoolean("lock_screen", true)
        set(value) = kept.edit().putBoolean("lock_screen", value).apply()

    fun preferences(): Preferences {
        val from = if (hasQuietHours) quietFromMinute else 0
        val until = if (hasQuietHours) quietUntilMinute else 0
        return Preferences(intervalS, from, until, leastBatteryPercent)
    }
}
