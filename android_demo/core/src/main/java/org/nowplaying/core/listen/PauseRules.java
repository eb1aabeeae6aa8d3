package org.nowplaying.core.listen;

/** Decides whether the phone may listen now. */
final class PauseRules {
    private PauseRules() {}

    /** Returns the first reason against it, or null; the names are those of the Python package. */
    static String reason(Preferences preferences, DeviceState now) {
        if (now.isInCall()) {
            return "call";
        }
        if (now.isPlaying()) {
            return "own_playback";
        }
        if (preferences.isQuiet(now.minuteOfDay())) {
            return "bedtime";
        }
        boolean low = now.isSavingPower() || now.batteryPercent() < preferences.minBatteryPercent;
        return preferences.minBatteryPercent > 0 && low && !now.isCharging() ? "battery_saver" : null;
    }
}
