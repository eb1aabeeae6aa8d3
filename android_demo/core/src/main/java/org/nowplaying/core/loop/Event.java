package org.nowplaying.core.loop;

/** An event of the phone, with its time. */
public final class Event {
    /** Kinds of events. */
    public enum Kind {
        /** The state changed; {@link #reason} says why. */
        STATE,
        RECOGNIZED,
        UNKNOWN,
        /** An early look found nothing; the capture goes on. */
        LOOKED,
        /** Music was not looked up; {@link #reason} says why. */
        SKIPPED
    }

    /** Seconds on the clock of the sound. */
    public final double timeS;

    public final Kind kind;

    /** After the event. */
    public final State state;

    /** Null for answers and early looks. */
    public final String reason;

    /** Null for anything but answers and early looks. */
    public final Answer answer;

    Event(double timeS, Kind kind, State state, String reason, Answer answer) {
        this.timeS = timeS;
        this.kind = kind;
        this.state = state;
        this.reason = reason;
        this.answer = answer;
    }

    /** Receives events as they happen. */
    public interface Sink {
        void take(Event event);
    }
}
