package org.nowplaying.core.loop;

/**
 * The phone's states over time: listen, capture up to eight seconds, recognize, rest (see {@code simulator/phone/loop.py}).
 *
 * <p>Time comes from outside: {@link #advance} does what is due by then. {@link #updateGate} receives the state of the gate.
 */
final class PhoneLoop {
    private static final double EXACT_S = 1e-9; // sums of times are exact to a nanosecond only

    /** Recognizes the song in the buffer. */
    interface Answering {
        /** Returns the answer to the newest seconds of the buffer; infinity: to all of it. */
        Answer answer(double nowS, double newestS);

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
    private double musicEndedAtS = Double.POSITIVE_INFINITY;
    private double musicSinceS;
    private double coolDownUntilS;
    private double sameSongUntilS;
    private boolean sameSongReported;
    private boolean skipReported;
    private boolean needsFullBuffer;
    private Capture capture;
    private boolean looksEarly;
    private boolean soundEnded;
    private int unknown;
    private String pauseReason;
    private Answer answer;
    private double bufferEndS;

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
                    look();
                    break;
                case RECOGNIZING:
                    finishRecognition();
                    break;
                case COOLING_DOWN:
                    endCoolDown();
                    break;
                default:
                    break;
            }
        }
        nowS = Math.max(nowS, toS);
    }

    /**
     * Receives the state of the detector's gate.
     *
     * @param sinceS when the first window of this run of music was complete; NaN if unknown
     */
    void updateGate(boolean open, double sinceS) {
        if (state == State.PAUSED) {
            return;
        }
        boolean opens = open && !gateOpen;
        if (!open && gateOpen) {
            gateClosedAtS = musicEndedAtS = nowS;
        }
        if ((!open || opens) && nowS - gateClosedAtS > settings.musicGapS) {
            endSong();
        }
        gateOpen = open;
        if (!open) {
            skipReported = false;
            return;
        }
        musicSinceS = Double.isNaN(sinceS) ? nowS : sinceS;
        if (opens && state == State.COOLING_DOWN && nowS - musicEndedAtS >= settings.restEndsAfterGapS) {
            coolDownUntilS = nowS;
            change(State.LISTENING, "new music");
            listen();
            return;
        }
        if (state == State.COOLING_DOWN && !skipReported) {
            skipReported = true;
            // Only music that begins after the recognized song has ended is worth an event.
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
            enterPause();
        }
    }

    /** Listens again. */
    void resume() {
        if (pauseReason == null) {
            return;
        }
        pauseReason = null;
        if (state == State.PAUSED) {
            boolean cool = nowS >= coolDownUntilS;
            change(cool ? State.LISTENING : State.COOLING_DOWN, "may listen again");
            if (cool) {
                listen();
            } else {
                dueS = coolDownUntilS;
            }
        }
    }

    /** Ends a capture, because the sound has ended; a look under way is finished first. */
    void endCapture() {
        soundEnded = state == State.CAPTURING || state == State.RECOGNIZING;
        if (state == State.CAPTURING) {
            look();
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
            // After a skipped song the buffer must hold the next song, not the end of the skipped one.
            needsFullBuffer = musicSinceS < sameSongUntilS;
            capture();
            return;
        }
        if (!sameSongReported) {
            sameSongReported = true;
            emit(Event.Kind.SKIPPED, "same_song", null);
        }
        dueS = sameSongUntilS;
    }

    private void capture() {
        soundEnded = false;
        capture = new Capture(settings, nowS, musicSinceS, settings.capturesAfresh || needsFullBuffer);
        captureOn("music");
    }

    private void captureOn(String reason) {
        double earlyLookS = capture.nextEarlyLookS(nowS);
        looksEarly = earlyLookS < capture.untilS;
        double untilS = Math.min(earlyLookS, capture.untilS);
        change(State.CAPTURING, reason);
        dueS = nowS + Math.max(0, untilS - nowS);
        if (soundEnded) {
            look();
        }
    }

    private void look() {
        if (soundEnded) {
            looksEarly = false;
            startRecognition("end of the sound", Double.POSITIVE_INFINITY);
        } else if (looksEarly) {
            startRecognition("music in the buffer", nowS - capture.beganS);
        } else {
            startRecognition("buffer full of music", Double.POSITIVE_INFINITY);
        }
    }

    private void startRecognition(String reason, double newestS) {
        change(State.RECOGNIZING, reason);
        bufferEndS = nowS;
        answer = answering.answer(nowS, newestS);
        double busyS = answering.takesS(answer);
        if (busyS > 0) {
            dueS = nowS + busyS;
        } else {
            finishRecognition();
        }
    }

    private void finishRecognition() {
        dueS = Double.POSITIVE_INFINITY;
        if (looksEarly && answer.track == null) {
            emit(Event.Kind.LOOKED, null, answer);
            answer = null;
            if (pauseReason != null) {
                enterPause();
            } else {
                captureOn("nothing found yet");
            }
            return;
        }
        if (answer.track != null) {
            unknown = 0;
            if (settings.skipsSameSong && answer.track.durationS > 0) {
                double restS = answer.track.durationS - answer.offsetS - answer.bufferS;
                sameSongUntilS = bufferEndS + Math.min(restS, settings.sameSongLimitS);
                sameSongReported = false;
            }
            emit(Event.Kind.RECOGNIZED, null, answer);
        } else {
            unknown++;
            sameSongUntilS = 0;
            emit(Event.Kind.UNKNOWN, null, answer);
        }
        answer = null;
        coolDownUntilS = nowS + settings.restS(unknown);
        skipReported = true;
        change(State.COOLING_DOWN, "answered");
        if (pauseReason != null) {
            enterPause();
        } else if (coolDownUntilS > nowS) {
            dueS = coolDownUntilS;
        } else {
            endCoolDown();
        }
    }

    private void endCoolDown() {
        change(State.LISTENING, "cool-down over");
        listen();
    }

    /** Resets the gate: sound from before a pause must not be used after it. The cool-down continues. */
    private void enterPause() {
        change(State.PAUSED, pauseReason);
        dueS = Double.POSITIVE_INFINITY;
        gateOpen = false;
        gateClosedAtS = 0;
        musicEndedAtS = Double.POSITIVE_INFINITY; // a pause is no end of the music
        skipReported = false;
        endSong();
        sameSongReported = false;
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
