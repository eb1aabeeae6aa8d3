package org.nowplaying.core.listen;

import java.io.IOException;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.detect.MusicDetector;
import org.nowplaying.core.loop.Answer;
import org.nowplaying.core.loop.Event;
import org.nowplaying.core.loop.LoopSettings;
import org.nowplaying.core.loop.Phone;
import org.nowplaying.core.loop.State;

/**
 * Listens as long as it is wanted: opens the microphone when it may, closes it when it must not, answers questions.
 *
 * <p>{@link #run} keeps one thread busy; everything else may be called from any.
 */
public final class Session {
    /** Nothing is wanted but answers to questions. */
    public static final String OFF = "off";

    /** Resting until the next look. */
    public static final String INTERVAL = "interval";

    /** The system hands out silence. */
    public static final String MICROPHONE_TAKEN = "microphone_taken";

    private static final int CHUNK_SAMPLES = 1600;
    private static final double LOOK_AGAIN_S = 1;

    /** Is told what happens, on the session's thread. */
    public interface Listener {
        void onEvent(Event event);

        /** Is told that the microphone is open (null) or why it is not. */
        void onPause(String reason);

        /** Is told the answer to a question. */
        void onAnswer(Answer answer);

        /** Is told that something went wrong; the session goes on where it can. */
        void onTrouble(Exception trouble);
    }

    private final Phone phone;
    private final Phone.Ear ear;
    private final Microphone microphone;
    private final Clock clock;
    private final Surroundings surroundings;
    private final Listener listener;
    private final Rhythm rhythm = new Rhythm();
    private volatile Preferences preferences;
    private volatile boolean wanted = true;
    private volatile boolean stopped;
    private volatile boolean asked;
    private Inquiry inquiry;
    private boolean open;
    private boolean troubled;
    private String told = "";
    private double phoneBeganS;

    public Session(
            MusicDetector detector, Phone.Ear ear, Microphone microphone, Clock clock, Surroundings surroundings,
            Preferences preferences, Listener listener) {
        this.ear = ear;
        this.microphone = microphone;
        this.clock = clock;
        this.surroundings = surroundings;
        this.preferences = preferences;
        this.listener = listener;
        phone = new Phone(
                detector, ear, new LoopSettings(detector.gateSettings), timeS -> null, 0, listener::onEvent);
    }

    /** Changes the settings, from the next step on. */
    public void set(Preferences changed) {
        preferences = changed;
        clock.wake();
    }

    /** Says whether to listen by itself, or only when asked. */
    public void setWanted(boolean listens) {
        wanted = listens;
        clock.wake();
    }

    /** Asks what is to be heard from now on. */
    public void ask() {
        asked = true;
        clock.wake();
    }

    public void stop() {
        stopped = true;
        clock.wake();
    }

    /** Listens until {@link #stop}. */
    public void run() throws InterruptedException {
        short[] samples = new short[CHUNK_SAMPLES];
        phoneBeganS = clock.nowS();
        try {
            while (!stopped) {
                if (asked) {
                    asked = false;
                    inquiry = new Inquiry(ear);
                }
                step(samples);
            }
        } finally {
            close();
            phone.finish();
        }
    }

    private void step(short[] samples) throws InterruptedException {
        String reason = reason();
        if (reason != null && inquiry == null) {
            tell(reason);
            close();
            boolean rests = reason.equals(INTERVAL);
            clock.waitS(rests ? rhythm.restS(clock.nowS(), preferences.intervalS) : LOOK_AGAIN_S, rests);
            catchUp(reason);
            return;
        }
        try {
            if (!open) {
                catchUp(INTERVAL);
                microphone.open();
                open = true;
            }
            int n = microphone.read(samples);
            if (microphone.isSilenced()) {
                taken(new IOException("another app has the microphone"));
                return;
            }
            troubled = false;
            tell(null);
            if (reason == null) {
                phone.feed(samples, 0, n);
            } else {
                catchUp(reason);
            }
            if (inquiry != null) {
                Answer answer = inquiry.feed(samples, n);
                if (answer != null) {
                    inquiry = null;
                    listener.onAnswer(answer);
                }
            }
        } catch (ArtifactException error) {
            inquiry = null;
            listener.onTrouble(error);
        } catch (IOException error) {
            close();
            taken(error);
            clock.waitS(LOOK_AGAIN_S, false);
        }
    }

    /** Goes on without the microphone, and tells so once; who has asked is told that there will be no answer. */
    private void taken(IOException why) {
        if (inquiry != null || !troubled) {
            listener.onTrouble(why);
        }
        troubled = true;
        inquiry = null;
        tell(MICROPHONE_TAKEN);
        catchUp(MICROPHONE_TAKEN);
    }

    private String reason() {
        Preferences current = preferences;
        String reason = wanted ? PauseRules.reason(current, surroundings) : OFF;
        if (reason == null && rhythm.rests(clock.nowS(), current.intervalS, phone.state(), phone.isMusic())) {
            return INTERVAL;
        }
        return reason;
    }

    /** Lets the phone's time pass up to now: without sound it has no clock. */
    private void catchUp(String reason) {
        double behindS = clock.nowS() - phoneBeganS - phone.nowS();
        if (behindS > 0 && phone.state() != State.OFF) {
            phone.skip(behindS, reason);
        } else if (phone.state() == State.OFF) {
            phoneBeganS = clock.nowS();
        }
    }

    private void tell(String reason) {
        String text = String.valueOf(reason);
        if (!told.equals(text)) {
            told = text;
            listener.onPause(reason);
        }
    }

    private void close() {
        if (open) {
            open = false;
            microphone.close();
        }
    }
}
