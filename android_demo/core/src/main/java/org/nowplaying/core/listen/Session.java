package org.nowplaying.core.listen;

import java.io.IOException;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.audio.Level;
import org.nowplaying.core.detect.MusicDetector;
import org.nowplaying.core.frontend.MicroFrontend;
import org.nowplaying.core.loop.Answer;
import org.nowplaying.core.loop.Event;
import org.nowplaying.core.loop.LoopSettings;
import org.nowplaying.core.loop.Phone;
import org.nowplaying.core.loop.State;

/**
 * Listens while it is enabled: opens and closes the microphone as the pause rules say, and answers one-shot queries.
 *
 * <p>{@link #run} keeps one thread busy; everything else may be called from any.
 */
public final class Session {
    /** Continuous listening is disabled; only queries are answered. */
    public static final String OFF = "off";

    /** Resting until the next listening period. */
    public static final String INTERVAL = "interval";

    /** The system delivers silence. */
    public static final String MICROPHONE_TAKEN = "microphone_taken";

    private static final int CHUNK_SAMPLES = 1600;
    private static final double RETRY_S = 1;

    /** Receives what happens, on the session's thread. */
    public interface Listener {
        void onEvent(Event event);

        /** Receives the level of sound that was just listened to, in dBFS, and its length in seconds. */
        void onLevel(double dbfs, double seconds);

        /** Receives null when the microphone opens, or the reason why it is closed. */
        void onPause(String reason);

        /** Receives the answer to a query. */
        void onAnswer(Answer answer);

        /** Receives an error; the session continues if it can. */
        void onError(Exception error);
    }

    private final Phone phone;
    private final Phone.SongRecognizer recognizer;
    private final Microphone microphone;
    private final Clock clock;
    private final DeviceState deviceState;
    private final Listener listener;
    private final DutyCycle dutyCycle = new DutyCycle();
    private volatile Preferences preferences;
    private volatile boolean enabled = true;
    private volatile boolean stopped;
    private volatile boolean queryRequested;
    private OneShotQuery query;
    private boolean open;
    private boolean hasFailed;
    private String lastReason = "";
    private double phoneBeganS;

    public Session(
            MusicDetector detector, Phone.SongRecognizer recognizer, Microphone microphone, Clock clock,
            DeviceState deviceState, Preferences preferences, Listener listener) {
        this.recognizer = recognizer;
        this.microphone = microphone;
        this.clock = clock;
        this.deviceState = deviceState;
        this.preferences = preferences;
        this.listener = listener;
        phone = new Phone(detector, recognizer, new LoopSettings(detector.gateSettings), 0, listener::onEvent);
    }

    /** Changes the settings, from the next step on. */
    public void set(Preferences changed) {
        preferences = changed;
        clock.wake();
    }

    /** Sets whether to listen continuously, or only for queries. */
    public void setEnabled(boolean listens) {
        enabled = listens;
        clock.wake();
    }

    /** Starts a one-shot query, unless there is one. */
    public void query() {
        queryRequested = true;
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
                if (queryRequested) {
                    queryRequested = false;
                    query = query == null ? new OneShotQuery(recognizer) : query;
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
        if (reason != null && query == null) {
            reportPause(reason);
            close();
            boolean rests = reason.equals(INTERVAL);
            clock.waitS(rests ? dutyCycle.restS(clock.nowS(), preferences.intervalS) : RETRY_S, rests);
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
                microphoneTaken(new IOException("another app has the microphone"));
                return;
            }
            hasFailed = false;
            reportPause(null);
            listener.onLevel(Level.dbfs(samples, n), n / (double) MicroFrontend.SAMPLE_RATE_HZ);
            if (reason == null) {
                phone.feed(samples, 0, n);
            } else {
                catchUp(reason);
            }
            if (query != null) {
                Answer answer = query.feed(samples, n);
                if (answer != null) {
                    query = null;
                    listener.onAnswer(answer);
                }
            }
        } catch (ArtifactException error) {
            query = null;
            listener.onError(error);
        } catch (IOException error) {
            close();
            microphoneTaken(error);
            clock.waitS(RETRY_S, false);
        }
    }

    /** Continues without the microphone; reports the error once, and again for every query that it ends. */
    private void microphoneTaken(IOException error) {
        if (query != null || !hasFailed) {
            listener.onError(error);
        }
        hasFailed = true;
        query = null;
        reportPause(MICROPHONE_TAKEN);
        catchUp(MICROPHONE_TAKEN);
    }

    private String reason() {
        Preferences current = preferences;
        String reason = enabled ? PauseRules.reason(current, deviceState) : OFF;
        if (reason == null && dutyCycle.rests(clock.nowS(), current.intervalS, phone.state(), phone.isMusic())) {
            return INTERVAL;
        }
        return reason;
    }

    /** Advances the phone's time to now: without sound it has no clock. */
    private void catchUp(String reason) {
        double behindS = clock.nowS() - phoneBeganS - phone.nowS();
        if (behindS > 0 && phone.state() != State.OFF) {
            phone.skip(behindS, reason);
        } else if (phone.state() == State.OFF) {
            phoneBeganS = clock.nowS();
        }
    }

    private void reportPause(String reason) {
        String text = String.valueOf(reason);
        if (!lastReason.equals(text)) {
            lastReason = text;
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
