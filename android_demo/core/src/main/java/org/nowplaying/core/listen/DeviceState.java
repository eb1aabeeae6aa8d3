package org.nowplaying.core.listen;

/** State of the device that decides whether to listen. */
public interface DeviceState {
    /** Minutes since local midnight. */
    int minuteOfDay();

    /** Charge in percent. */
    int batteryPercent();

    boolean isCharging();

    /** Whether the system's battery saver is on. */
    boolean isSavingPower();

    /** Whether a call is in progress. */
    boolean isInCall();

    /** Whether the phone plays sound itself, which need not be recognized. */
    boolean isPlaying();
}
