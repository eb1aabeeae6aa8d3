package org.nowplaying.core.loop;

import static org.junit.Assert.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.detect.MusicDetector;

/** A whole evening, from the microphone's samples to the songs' names, as Python's phone hears it. */
public class PhoneTest {
    @Test
    public void theEveningIsHeardAsInPython() throws Exception {
        List<Event> whole = hear(1600);
        compare(whole);
        List<Event> pieces = hear(1237); // how the sound is cut changes nothing
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
            String place = "event " + i + ": " + event;
            assertEquals(place, Golden.number(event.get("time_s")), found.timeS, 1e-6);
            assertEquals(place, event.get("kind"), found.kind.name().toLowerCase(Locale.ROOT));
            assertEquals(place, event.get("reason"), found.reason);
            if (event.containsKey("to")) {
                assertEquals(place, event.get("to"), found.state.name().toLowerCase(Locale.ROOT));
            }
            if (event.containsKey("buffer_s")) {
                assertEquals(place, Golden.number(event.get("buffer_s")), found.answer.bufferS, 1e-9);
            }
            if (event.containsKey("track_id")) {
                assertEquals(place, event.get("track_id"), found.answer.track.trackId);
                assertEquals(place, event.get("title"), found.answer.track.title);
                assertEquals(place, Golden.number(event.get("offset_s")), found.answer.offsetS, 1e-3);
                assertEquals(place, Golden.number(event.get("score")), found.answer.score, 1e-5);
                songs++;
            }
        }
        assertEquals(expected.size(), events.size());
        assertEquals("songs named", 3, songs);
    }

    private static List<Event> hear(int chunk) throws Exception {
        Map<String, Object> record = Golden.json("phone.json");
        Evening evening = new Evening();
        MusicDetector detector = evening.detector;
        List<Object> conditions = Golden.list(record.get("conditions"));
        Phone.Situation situation = timeS -> {
            for (Object one : conditions) {
                List<Object> condition = Golden.list(one);
                if (Golden.number(condition.get(1)) <= timeS && timeS < Golden.number(condition.get(2))) {
                    return (String) condition.get(0);
                }
            }
            return null;
        };
        List<Event> events = new ArrayList<>();
        Phone phone = new Phone(detector, evening.recognizer::recognize, new LoopSettings(detector.gateSettings), situation,
                Golden.number(record.get("answer_s")), events::add);
        short[] pcm = evening.pcm;
        for (int at = 0; at < pcm.length; at += chunk) {
            phone.feed(pcm, at, Math.min(chunk, pcm.length - at));
        }
        phone.finish();
        return events;
    }
}
