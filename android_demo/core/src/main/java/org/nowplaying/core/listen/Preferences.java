package org.nowplaying.core.listen;

/** Settings of the user. */
public final class Preferences {
    /** Seconds from one listening period to the next; 0 for always on. */
    public final int intervalS;

    /** Quiet hours, in minutes since midnight; equal for none. */
    public final int quietFromMinute;

    public final int quietUntilMinute;

    /** Charge in percent below which the app does not listen unless the phone is charging; 0 for no limit. */
    public final int minBatteryPercent;

    public Preferences(int intervalS, int quietFromMinute, int quietUntilMinute, int minBatteryPercent) {
        within("interval", intervalS, 0, 3600);
        within("quiet hours", quietFromMinute, 0, 24 * 60 - 1);
        within("quiet hours", quietUntilMinute, 0, 24 * 60 - 1);
        within("minimum battery", minBatteryPercent, 0, 100);
        this.intervalS = intervalS;
        this.quietFromMinute = quietFromMinute;
        this.quietUntilMinute = quietUntilMinute;
        this.minBatteryPercent = minBatteryPercent;
    }

    private static void within(String name, int value, int low, int high) {
        if (value < low || value > high) {
            throw new IllegalArgumentException(name + ": expected " + low + " to " + high + ", found " + value);
        }
    }

    boolean isQuiet(int minuteOfDay) {
        return quietFromMinute <= quietUntilMinute
                ? quietFromMinute <= minuteOfDay && minuteOfDay < quietUntilMinute
                : minuteOfDay >= quietFromMinute || minuteOfDay < quietUntilMinute;
    }
}
