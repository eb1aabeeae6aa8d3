package org.nowplaying.core.listen;

/** What the user has set. */
public final class Preferences {
    /** Seconds from one short listening to the next; 0 listens all the time. */
    public final int intervalS;

    /** Minutes since midnight between which nothing is heard; equal for never. */
    public final int quietFromMinute;

    public final int quietUntilMinute;

    /** Below this charge, in percent, nothing is heard unless the phone is charging; 0 for never. */
    public final int leastBatteryPercent;

    public Preferences(int intervalS, int quietFromMinute, int quietUntilMinute, int leastBatteryPercent) {
        within("interval", intervalS, 0, 3600);
        within("quiet hours", quietFromMinute, 0, 24 * 60 - 1);
        within("quiet hours", quietUntilMinute, 0, 24 * 60 - 1);
        within("least battery", leastBatteryPercent, 0, 100);
        this.intervalS = intervalS;
        this.quietFromMinute = quietFromMinute;
        this.quietUntilMinute = quietUntilMinute;
        this.leastBatteryPercent = leastBatteryPercent;
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
