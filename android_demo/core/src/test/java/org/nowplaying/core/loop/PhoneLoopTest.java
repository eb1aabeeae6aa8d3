package org.nowplaying.core.loop;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.gate.GateSettings;
import org.nowplaying.core.song.Track;

/** The loop does what Python's SimPy process does, event for event, on random music, pauses and answers. */
public class PhoneLoopTest {
    @Test
    public void everyEventIsThatOfThePythonLoop() throws Exception {
        List<Object> runs = Golden.list(Golden.json("loop.json").get("runs"));
        int events = 0;
        for (int i = 0; i < runs.size(); i++) {
            events += compare("run " + i, Golden.map(runs.get(i)));
        }
        assertTrue("events: " + events, events > 4000);
    }

    private static int compare(String where, Map<String, Object> run) {
        List<String> found = new ArrayList<>();
        PhoneLoop loop = loop(run, found);
        loop.switchOn();
        for (Object one : Golden.list(run.get("actions"))) {
            List<Object> action = Golden.list(one);
            double timeS = Golden.number(action.get(0));
            loop.advance(timeS);
            switch ((String) action.get(1)) {
                case "pause":
                    loop.pause("call");
                    break;
                case "resume":
                    loop.resume();
                    break;
                default:
                    Object since = action.get(3);
                    loop.updateGate((Boolean) action.get(2), since == null ? Double.NaN : Golden.number(since));
            }
            loop.advance(timeS);
        }
        loop.endCapture();
        loop.advance(Golden.number(run.get("end_s")));
        List<Object> expected = Golden.list(run.get("events"));
        for (int i = 0; i < expected.size(); i++) {
            List<Object> event = Golden.list(expected.get(i));
            String wanted = text(Golden.number(event.get(0)), event.get(1), event.get(2), event.get(3));
            assertEquals(where + ", event " + i, wanted, i < found.size() ? found.get(i) : "none");
        }
        assertEquals(where, expected.size(), found.size());
        return found.size();
    }

    private static String text(double timeS, Object kind, Object state, Object reason) {
        return String.format(Locale.ROOT, "%.6f %s %s %s", timeS, kind, state, reason);
    }

    private static PhoneLoop loop(Map<String, Object> run, List<String> found) {
        Map<String, Object> table = Golden.map(run.get("settings"));
        LoopSettings settings = new LoopSettings(new GateSettings(Golden.map(table.get("gate"))));
        settings.earlyLooksS = Golden.list(table.get("early_looks_s")).stream().mapToDouble(Golden::number).toArray();
        settings.capturesAfresh = (Boolean) table.get("captures_afresh");
        settings.skipsSameSong = (Boolean) table.get("skips_same_song");
        settings.musicGapS = Golden.number(table.get("music_gap_s"));
        Object gapS = table.get("rest_ends_after_gap_s");
        settings.restEndsAfterGapS = gapS == null ? Double.POSITIVE_INFINITY : Golden.number(gapS);
        Iterator<Object> answers = Golden.list(run.get("answers")).iterator();
        Iterator<Object> newest = Golden.list(run.get("newest_s")).iterator();
        double busyS = Golden.number(table.get("busy_s"));
        PhoneLoop.Answering answering = new PhoneLoop.Answering() {
            @Override
            public Answer answer(double nowS, double newestS) {
                Object seconds = newest.next();
                assertEquals(seconds == null ? Double.POSITIVE_INFINITY : Golden.number(seconds), newestS, 1e-9);
                List<Object> values = Golden.list(answers.next());
                double bufferS = Golden.number(values.get(0));
                if (values.size() == 1) {
                    return Answer.unknown(bufferS);
                }
                Track track = new Track("0000000000000000", "", "", "", values.get(1), "", Collections.emptyMap());
                return new Answer(track, Golden.number(values.get(2)), 1, bufferS);
            }

            @Override
            public double takesS(Answer answer) {
                return busyS;
            }
        };
        return new PhoneLoop(answering, settings, event -> {
            boolean state = event.kind == Event.Kind.STATE;
            found.add(text(event.timeS, event.kind.name().toLowerCase(Locale.ROOT),
                    state ? event.state.name().toLowerCase(Locale.ROOT) : null, event.reason));
        });
    }
}
