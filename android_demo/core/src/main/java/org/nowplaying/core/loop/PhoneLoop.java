package org.nowplaying.core.loop;

/**
 * The phone's states over time: listen, wake for eight seconds, name the song, rest (see {@code loop.py}).
 *
 * <p>Time comes from outside: {@link #advance} does what is due by then. What is heard is told by {@link #hear}.
 */
final class PhoneLoop {
    private static final double EXACT_S = 1e-9; // sums of times are exact to a nanosecond only

    /** Names what the buffer holds. */
    interface Answering {
        Answer answer(double nowS);

        /** Returns how long that answer keeps the processor busy, in seconds. */
        double takesS(Answer answer);
    }

    private final Answering answering;
    private final LoopSettings settings;
    private final Event.Sink sink;
    private State state = State.OFF;
    private double nowS;
    private double dueS = Double.POSITIVE_INFINITY;
    private boolean gateOpen;
    private double gateClosedAtS;
    private double musicSinceS;
    private double coolUntilS;
    private double sameSongUntilS;
    private boolean sameSongTold;
    private boolean skipTold;
    private boolean afresh;
    private int unknown;
    private String pauseReason;
    private Answer answer;
    private double askedAtS;

    PhoneLoop(Answering answering, LoopSettings settings, Event.Sink sink) {
        this.answering = answering;
        this.settings = settings;
        this.sink = sink;
    }

    State state() {
        return state;
    }

    /** Begins to listen. */
    void switchOn() {
        change(State.LISTENING, "switched on");
        listen();
    }

    /** Stops listening for good. */
    void switchOff(String reason) {
        if (state != State.OFF) {
            change(State.OFF, reason);
            dueS = Double.POSITIVE_INFINITY;
        }
    }

    /** Lets time pass, and does what is due meanwhile, each at its time. */
    void advance(double toS) {
        while (dueS <= toS + EXACT_S) {
            nowS = Math.max(nowS, dueS);
            dueS = Double.POSITIVE_INFINITY;
            switch (state) {
                case LISTENING:
                    listen();
                    break;
                case CAPTURING:
                    recognize("buffer full of music");
                    break;
                case RECOGNIZING:
                    answered();
                    break;
                case COOLING_DOWN:
                    cooled();
                    break;
                default:
                    break;
            }
        }
        nowS = Math.max(nowS, toS);
    }

    /**
     * Takes in what the detector's gate says now.
     *
     * @param sinceS when the first window of this run of music was complete; NaN where nobody knows
     */
    void hear(boolean open, double sinceS) {
        if (state == State.PAUSED) {
            return;
        }
        boolean opens = open && !gateOpen;
        if (!open && gateOpen) {
            gateClosedAtS = nowS;
        }
        if ((!open || opens) && nowS - gateClosedAtS > settings.musicGapS) {
            endSong();
        }
        gateOpen = open;
        if (!open) {
            skipTold = false;
            return;
        }
        musicSinceS = Double.isNaN(sinceS) ? nowS : sinceS;
        if (state == State.COOLING_DOWN && !skipTold) {
            skipTold = true;
            // The song just recognized going on is no news; music after a silence that is not looked up is.
            if (nowS >= sameSongUntilS) {
                emit(Event.Kind.SKIPPED, "cool_down", null);
            }
        }
        if (opens && state == State.LISTENING) {
            listen();
        }
    }

    /** Stops listening for a while; an answer under way is finished first. */
    void pause(String reason) {
        pauseReason = reason;
        if (state == State.LISTENING || state == State.CAPTURING || state == State.COOLING_DOWN) {
            stayPaused();
        }
    }

    /** Listens again. */
    void resume() {
        if (pauseReason == null) {
            return;
        }
        pauseReason = null;
        if (state == State.PAUSED) {
            boolean cool = nowS >= coolUntilS;
            change(cool ? State.LISTENING : State.COOLING_DOWN, "may listen again");
            if (cool) {
                listen();
            } else {
                dueS = coolUntilS;
            }
        }
    }

    /** Ends a capture with what the buffer holds, as when the sound has ended. */
    void hurry() {
        if (state == State.CAPTURING) {
            recognize("end of the sound");
        }
    }

    /** Waits for an answer under way. */
    void finishAnswer() {
        advance(dueS);
    }

    private void listen() {
        dueS = Double.POSITIVE_INFINITY;
        if (!gateOpen) {
            return;
        }
        if (nowS >= sameSongUntilS) {
            // After a song that was left alone the buffer is to hold the next one, not its end.
            afresh = musicSinceS < sameSongUntilS;
            capture();
            return;
        }
        if (!sameSongTold) {
            sameSongTold = true;
            emit(Event.Kind.SKIPPED, "same_song", null);
        }
        dueS = sameSongUntilS;
    }

    private void capture() {
        double fullAtS = musicSinceS - settings.onsetInWindowS + settings.bufferS;
        double untilS = Math.min(Math.max(fullAtS, nowS), nowS + settings.maxCaptureS);
        if (settings.capturesAfresh || afresh) {
            untilS = nowS + settings.bufferS;
        }
        // The end of the 10 ms step in which that lies: the buffer grows in whole steps.
        untilS = Math.ceil(100 * untilS - 1e-6) / 100;
        change(State.CAPTURING, "music");
        dueS = nowS + Math.max(0, untilS - nowS);
    }

    private void recognize(String reason) {
        change(State.RECOGNIZING, reason);
        askedAtS = nowS;
        answer = answering.answer(nowS);
        double busyS = answering.takesS(answer);
        if (busyS > 0) {
            dueS = nowS + busyS;
        } else {
            answered();
        }
    }

    private void answered() {
        dueS = Double.POSITIVE_INFINITY;
        if (answer.track != null) {
            unknown = 0;
            if (settings.skipsSameSong && answer.track.durationS > 0) {
                double restS = answer.track.durationS - answer.offsetS - answer.bufferS;
                sameSongUntilS = askedAtS + Math.min(restS, settings.sameSongLimitS);
                sameSongTold = false;
            }
            emit(Event.Kind.RECOGNIZED, null, answer);
        } else {
            unknown++;
            sameSongUntilS = 0;
            emit(Event.Kind.UNKNOWN, null, answer);
        }
        answer = null;
        coolUntilS = nowS + settings.restS(unknown);
        skipTold = true;
        change(State.COOLING_DOWN, "answered");
        if (pauseReason != null) {
            stayPaused();
        } else if (coolUntilS > nowS) {
            dueS = coolUntilS;
        } else {
            cooled();
        }
    }

    private void cooled() {
        change(State.LISTENING, "cool-down over");
        listen();
    }

    /** Forgets the sound: nothing heard before a pause may be used after it. The cool-down goes on. */
    private void stayPaused() {
        change(State.PAUSED, pauseReason);
        dueS = Double.POSITIVE_INFINITY;
        gateOpen = false;
        gateClosedAtS = 0;
        skipTold = false;
        endSong();
        sameSongTold = false;
    }

    private void endSong() {
        sameSongUntilS = 0;
        unknown = 0;
    }

    private void change(State to, String reason) {
        state = to;
        emit(Event.Kind.STATE, reason, null);
    }

    private void emit(Event.Kind kind, String reason, Answer found) {
        sink.take(new Event(nowS, kind, state, reason, found));
    }
}
