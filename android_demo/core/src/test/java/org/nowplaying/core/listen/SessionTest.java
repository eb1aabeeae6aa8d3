package org.nowplaying.core.listen;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.detect.MusicDetector;
import org.nowplaying.core.detect.Network;
import org.nowplaying.core.loop.Answer;
import org.nowplaying.core.loop.Evening;
import org.nowplaying.core.loop.Event;
import org.nowplaying.core.loop.Phone;
import org.nowplaying.core.model.Model;
import org.nowplaying.core.model.ModelFolder;

/** The session on a played evening: a clock that the samples drive, a microphone that knows when it was open. */
public class SessionTest {
    private final List<String> log = new ArrayList<>();
    private final List<String> songs = new ArrayList<>();
    private double playsFromS = Double.POSITIVE_INFINITY;
    private double playsUntilS = Double.POSITIVE_INFINITY;
    private double silencedFromS = Double.POSITIVE_INFINITY;
    private int minute = 12 * 60;
    private double openS;
    private double listenedS;
    private boolean open;
    private boolean broken;
    private boolean asksAgain;
    private int waits;
    private long at;
    private short[] pcm;
    private Session session;

    private final Clock clock = new Clock() {
        @Override
        public double nowS() {
            return at / 16_000.0;
        }

        @Override
        public void waitS(double seconds, boolean wakesPhone) {
            assertFalse("the microphone is closed while waiting", open);
            waits++;
            pass((long) (seconds * 16_000));
        }

        @Override
        public void wake() {}
    };

    private final Microphone microphone = new Microphone() {
        @Override
        public void open() throws IOException {
            if (broken) {
                broken = false;
                throw new IOException("the microphone is taken");
            }
            open = true;
        }

        @Override
        public int read(short[] samples) {
            assertTrue(open);
            // Steps of a tenth of a second, one sample step before whole seconds, as the phone looks ahead.
            int n = at == 0 ? 1440 : samples.length;
            n = (int) Math.min(n, pcm.length - at);
            System.arraycopy(pcm, (int) at, samples, 0, n);
            openS += n / 16_000.0;
            pass(n);
            return n;
        }

        @Override
        public boolean isSilenced() {
            return clock.nowS() > silencedFromS;
        }

        @Override
        public void close() {
            open = false;
        }
    };

    private final DeviceState deviceState = new DeviceState() {
        @Override
        public int minuteOfDay() {
            return minute;
        }

        @Override
        public int batteryPercent() {
            return 50;
        }

        @Override
        public boolean isCharging() {
            return false;
        }

        @Override
        public boolean isSavingPower() {
            return false;
        }

        @Override
        public boolean isInCall() {
            return false;
        }

        @Override
        public boolean isPlaying() {
            double nextS = clock.nowS() + 0.01;
            return playsFromS <= nextS && nextS < playsUntilS;
        }
    };

    private final Session.Listener listener = new Session.Listener() {
        @Override
        public void onEvent(Event event) {
            if (event.kind == Event.Kind.RECOGNIZED) {
                songs.add(event.answer.track.title);
            } else if (event.kind == Event.Kind.STATE) {
                log.add(String.format(Locale.ROOT, "%.2f %s", event.timeS, event.state));
            }
        }

        @Override
        public void onLevel(double dbfs, double seconds) {
            listenedS += seconds;
            if (asksAgain) {
                session.query();
            }
        }

        @Override
        public void onPause(String reason) {
            log.add(String.format(Locale.ROOT, "%.2f pause %s", clock.nowS(), reason));
        }

        @Override
        public void onAnswer(Answer answer) {
            log.add(String.format(
                    Locale.ROOT, "%.2f answer %.1f %s", clock.nowS(), answer.bufferS,
                    answer.track == null ? null : answer.track.title));
        }

        @Override
        public void onError(Exception error) {
            log.add("error " + error.getMessage());
        }
    };

    private void pass(long samples) {
        at += samples;
        if (at >= pcm.length) {
            session.stop();
        }
    }

    private void run(Evening evening, Phone.SongRecognizer recognizer, Preferences preferences) throws Exception {
        run(evening.pcm, evening.detector, recognizer, preferences);
    }

    private void run(short[] sound, MusicDetector detector, Phone.SongRecognizer recognizer, Preferences preferences)
            throws Exception {
        pcm = sound;
        session = new Session(detector, recognizer, microphone, clock, deviceState, preferences, listener);
        session.run();
        assertFalse("the microphone is closed at the end", open);
        if (silencedFromS > 1e6) {
            assertEquals("every second with an open microphone is reported", openS, listenedS, 1e-6);
        }
    }

    @Test
    public void theEveningsSongsAreRecognizedAndOwnMusicIsSkipped() throws Exception {
        for (Object one : Golden.list(Golden.json("phone.json").get("conditions"))) {
            playsFromS = Golden.number(Golden.list(one).get(1));
            playsUntilS = Golden.number(Golden.list(one).get(2));
        }
        Evening evening = new Evening();
        run(evening, evening.recognizer::recognize, new Preferences(0, 0, 0, 0));
        List<String> expected = new ArrayList<>();
        for (Object one : Golden.list(Golden.json("phone.json").get("events"))) {
            Map<String, Object> event = Golden.map(one);
            if (event.containsKey("title")) {
                expected.add((String) event.get("title"));
            }
        }
        assertEquals(expected, songs);
        assertTrue(log.toString(), log.contains("320.99 pause own_playback"));
        assertTrue(log.toString(), log.contains("351.09 pause null"));
        assertEquals("closed while the phone played", pcm.length / 16_000.0 - 30, openS, 0.2);
    }

    /** The shipped detector's front end and gate, on a network whose output is never music. */
    private static MusicDetector neverMusic(Evening evening) throws IOException {
        Model model = new Model() {
            @Override
            public void run(ByteBuffer[] inputs, ByteBuffer[] outputs) {}

            @Override
            public void close() {}
        };
        ModelFolder folder = new ModelFolder(Golden.path("models/detector"), "detector");
        return new MusicDetector(
                new Network(model, folder.tensors("detector.tflite")), null, evening.detector.gateSettings);
    }

    private static Answer unknown(float[] samples) throws ArtifactException {
        return new Answer(null, 0, 0, samples.length / 16_000.0);
    }

    @Test
    public void quietHoursKeepTheMicrophoneClosed() throws Exception {
        Evening evening = new Evening();
        minute = 23 * 60;
        run(evening, SessionTest::unknown, new Preferences(0, 22 * 60, 7 * 60, 0));
        assertEquals(0, openS, 0);
        assertEquals(Arrays.asList("0.00 pause bedtime"), log);
    }

    @Test
    public void shortPeriodsOpenTheMicrophoneForAQuarterOfTheTime() throws Exception {
        Evening evening = new Evening();
        run(evening.pcm, neverMusic(evening), SessionTest::unknown, new Preferences(60, 0, 0, 0));
        assertEquals(6 * 15, openS, 1);
        assertEquals("one wait for each rest", 6, waits);
    }

    private void queryInQuietHours(Evening evening) throws InterruptedException {
        minute = 23 * 60;
        pcm = evening.pcm;
        session = new Session(evening.detector, SessionTest::unknown, microphone, clock, deviceState,
                new Preferences(0, 22 * 60, 7 * 60, 0), listener);
        session.query();
        session.run();
    }

    @Test
    public void aQueryIsAnsweredEvenInQuietHours() throws Exception {
        Evening evening = new Evening();
        queryInQuietHours(evening);
        assertTrue(log.toString(), log.contains("8.09 answer 8.0 null"));
        assertEquals("and the microphone is closed again", 8, openS, 0.2);
    }

    @Test
    public void aQueryThatIsAskedForAgainGoesOn() throws Exception {
        asksAgain = true;
        queryInQuietHours(new Evening());
        assertTrue(log.toString(), log.contains("8.09 answer 8.0 null"));
    }

    @Test
    public void aQueryThatCannotBeAnsweredReportsAnError() throws Exception {
        Evening evening = new Evening();
        silencedFromS = 3;
        queryInQuietHours(evening);
        assertTrue(log.toString(), log.contains("error another app has the microphone"));
        assertFalse(log.toString(), log.toString().contains("answer"));
        assertEquals(3, openS, 0.2);
    }

    @Test
    public void aMicrophoneThatIsSilencedOrTakenIsReported() throws Exception {
        Evening evening = new Evening();
        broken = true;
        silencedFromS = 2;
        run(evening.pcm, neverMusic(evening), SessionTest::unknown, new Preferences(0, 0, 0, 0));
        List<String> expected = Arrays.asList(
                "error the microphone is taken", "0.00 pause microphone_taken", "1.10 pause null", "0.00 LISTENING",
                "error another app has the microphone", "2.10 pause microphone_taken", "1.01 PAUSED");
        assertEquals(expected, log.subList(0, 7));
        assertEquals("and once only, but for the end", 8, log.size());
        assertEquals("no song is recognized in silence", 0, songs.size());
    }
}
