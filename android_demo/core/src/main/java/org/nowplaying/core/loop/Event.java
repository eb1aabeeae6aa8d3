package org.nowplaying.core.loop;

/** Something that happened. */
public final class Event {
    /** What an event tells. */
    public enum Kind {
        /** The phone does something else now; {@link #reason} says why. */
        STATE,
        RECOGNIZED,
        UNKNOWN,
        /** Music was left alone; {@link #reason} says why. */
        SKIPPED
    }

    /** Seconds on the clock of the sound. */
    public final double timeS;

    public final Kind kind;

    /** After the event. */
    public final State state;

    /** Null for answers. */
    public final String reason;

    /** Null for anything but answers. */
    public final Answer answer;

    Event(double timeS, Kind kind, State state, String reason, Answer answer) {
        this.timeS = timeS;
        this.kind = kind;
        this.state = state;
        this.reason = reason;
        this.answer = answer;
    }

    /** Takes events in, as they happen. */
    public interface Sink {
        void take(Event event);
    }
}
