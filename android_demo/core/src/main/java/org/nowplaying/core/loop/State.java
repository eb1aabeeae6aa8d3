package org.nowplaying.core.loop;

/** What the phone is doing. */
public enum State {
    OFF,
    LISTENING,
    CAPTURING,
    RECOGNIZING,
    COOLING_DOWN,
    PAUSED
}
