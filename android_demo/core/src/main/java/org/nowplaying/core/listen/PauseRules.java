package org.nowplaying.core.listen;

/** Says why the phone must not listen now. */
final class PauseRules {
    private PauseRules() {}

    /** Returns the first reason that holds, or null; the names are those of the Python package. */
    static String reason(Preferences preferences, Surroundings now) {
        if (now.isInCall()) {
            return "call";
        }
        if (now.isPlaying()) {
            return "own_playback";
        }
        if (preferences.isQuiet(now.minuteOfDay())) {
            return "bedtime";
        }
        boolean low = now.isSavingPower() || now.batteryPercent() < preferences.leastBatteryPercent;
        return preferences.leastBatteryPercent > 0 && low && !now.isCharging() ? "battery_saver" : null;
    }
}
