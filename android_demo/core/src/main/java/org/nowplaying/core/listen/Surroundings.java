package org.nowplaying.core.listen;

/** What a phone knows of itself. */
public interface Surroundings {
    /** Minutes since midnight, where the phone is. */
    int minuteOfDay();

    /** Charge in percent. */
    int batteryPercent();

    boolean isCharging();

    /** Whether the system's battery saver is on. */
    boolean isSavingPower();

    /** Whether a call is on. */
    boolean isInCall();

    /** Whether the phone plays sound itself, whose songs need no recognizing. */
    boolean isPlaying();
}
