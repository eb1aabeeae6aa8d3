package org.nowplaying.core.loop;

import static org.junit.Assert.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;

/** A whole evening, from the microphone's samples to the recognized songs: the events are those of Python's phone. */
public class PhoneTest {
    @Test
    public void theEveningGivesTheEventsOfPython() throws Exception {
        List<Event> whole = run(160);
        compare(whole);
        List<Event> pieces = run(37); // the length of chunks changes nothing
        assertEquals(whole.size(), pieces.size());
        for (int i = 0; i < whole.size(); i++) {
            assertEquals(whole.get(i).timeS, pieces.get(i).timeS, 0);
            assertEquals(whole.get(i).kind, pieces.get(i).kind);
        }
    }

    private static void compare(List<Event> events) throws Exception {
        List<Object> expected = Golden.list(Golden.json("phone.json").get("events"));
        int songs = 0;
        for (int i = 0; i < Math.min(expected.size(), events.size()); i++) {
            Map<String, Object> event = Golden.map(expected.get(i));
            Event found = events.get(i);
            String where = "event " + i + ": " + event;
            assertEquals(where, Golden.number(event.get("time_s")), found.timeS, 1e-6);
            assertEquals(where, event.get("kind"), found.kind.name().toLowerCase(Locale.ROOT));
            assertEquals(where, event.get("reason"), found.reason);
            if (event.containsKey("to")) {
                assertEquals(where, event.get("to"), found.state.name().toLowerCase(Locale.ROOT));
            }
            if (event.containsKey("buffer_s")) {
                assertEquals(where, Golden.number(event.get("buffer_s")), found.answer.bufferS, 1e-9);
            }
            if (event.containsKey("track_id")) {
                assertEquals(where, event.get("track_id"), found.answer.track.trackId);
                assertEquals(where, event.get("title"), found.answer.track.title);
                assertEquals(where, Golden.number(event.get("offset_s")), found.answer.offsetS, 1e-3);
                assertEquals(where, Golden.number(event.get("score")), found.answer.score, 1e-5);
                songs++;
            }
        }
        assertEquals(expected.size(), events.size());
        assertEquals("songs recognized", 3, songs);
    }

    private static List<Event> run(int chunk) throws Exception {
        Map<String, Object> record = Golden.json("phone.json");
        Evening evening = new Evening();
        List<Event> events = new ArrayList<>();
        Phone phone = new Phone(evening.detector, evening.recognizer::recognize,
                new LoopSettings(evening.detector.gateSettings), Golden.number(record.get("answer_s")), events::add);
        List<Object> conditions = Golden.list(record.get("conditions"));
        for (int start = 0; start + Phone.STEP_SAMPLES <= evening.pcm.length; start += Phone.STEP_SAMPLES) {
            String reason = reasonAt(conditions, (start + Phone.STEP_SAMPLES) / 16_000.0);
            if (reason != null) {
                phone.skip(0.01, reason);
                continue;
            }
            for (int at = 0; at < Phone.STEP_SAMPLES; at += chunk) {
                phone.feed(evening.pcm, start + at, Math.min(chunk, Phone.STEP_SAMPLES - at));
            }
        }
        phone.finish();
        return events;
    }

    private static String reasonAt(List<Object> conditions, double timeS) {
        for (Object one : conditions) {
            List<Object> condition = Golden.list(one);
            if (Golden.number(condition.get(1)) <= timeS && timeS < Golden.number(condition.get(2))) {
                return (String) condition.get(0);
            }
        }
        return null;
    }
}
