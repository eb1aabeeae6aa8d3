package org.nowplaying.core.loop;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.audio.MulawRing;

public class RecognizerTest {
    private static final int BUFFER = 128_000;
    private static final int HOP = 8_000;
    private static final float PCM_SCALE = 32767;

    @Test
    public void aBufferOfQuietMusicBesideAnOffsetOrAfterAClickIsNamed() throws Exception {
        Recognizer recognizer = new Evening().recognizer;
        ByteBuffer pcm = Golden.array("demo-sounds.npy", "<i2", -1);
        int start = 0;
        int named = 0;
        for (Object one : Golden.list(Golden.json("demo-sounds.json").get("sounds"))) {
            Map<String, Object> sound = Golden.map(one);
            Object query = Golden.list(sound.get("queries")).get(0);
            int first = start + HOP * (int) Golden.number(Golden.list(query).get(0));
            if (Golden.list(query).get(1) != null && named < 4) {
                short[] loud = new short[BUFFER];
                double power = 0;
                for (int i = 0; i < BUFFER; i++) {
                    loud[i] = pcm.getShort(2 * (first + i));
                    power += loud[i] * loud[i] / (double) BUFFER;
                }
                short[] lifted = new short[BUFFER];
                short[] clicked = new short[BUFFER];
                for (int i = 0; i < BUFFER; i++) {
                    long quiet = Math.round(loud[i] * 30 / Math.sqrt(power)); // -61 dBFS
                    lifted[i] = (short) (quiet + 400);
                    clicked[i] = i < 160 ? 30_000 : (short) quiet;
                }
                Answer expected = named(recognizer, loud);
                assertNotNull(expected.track);
                for (short[] changed : new short[][] {lifted, clicked}) {
                    Answer found = named(recognizer, changed);
                    assertNotNull("buffer " + named, found.track);
                    assertEquals(expected.track.trackId, found.track.trackId);
                    assertEquals(expected.offsetS, found.offsetS, 0.3);
                }
                named++;
            }
            start += (int) Golden.number(sound.get("samples"));
        }
        assertTrue("buffers: " + named, named == 4);
    }

    @Test
    public void songsPlayedBackwardsAreUnknownAsInPython() throws Exception {
        Recognizer recognizer = new Evening().recognizer;
        ByteBuffer pcm = Golden.array("demo-sounds.npy", "<i2", -1);
        Map<String, Object> record = Golden.json("demo-turned.json");
        assertEquals(Golden.number(record.get("hops")), Recognizer.TURNED_HOPS, 0);
        assertEquals(Golden.number(record.get("least_lead")), Recognizer.LEAST_LEAD, 0);
        int n = (int) Golden.number(record.get("samples"));
        int start = 0;
        int sound = 0;
        int named = 0;
        int refused = 0;
        for (Object one : Golden.list(Golden.json("demo-sounds.json").get("sounds"))) {
            List<Object> expected = Golden.list(Golden.list(record.get("songs")).get(sound));
            float[] forwards = new float[n];
            float[] backwards = new float[n];
            for (int i = 0; i < n; i++) {
                forwards[i] = pcm.getShort(2 * (start + i)) / PCM_SCALE;
                backwards[n - 1 - i] = forwards[i];
            }
            assertEquals("sound " + sound, expected.get(0), trackId(recognizer.recognize(forwards)));
            assertEquals("sound " + sound + " backwards", expected.get(1), trackId(recognizer.recognize(backwards)));
            named += expected.get(0) == null ? 0 : 1;
            refused += (Boolean) expected.get(2) ? 1 : 0;
            start += (int) Golden.number(Golden.map(one).get("samples"));
            sound++;
        }
        assertTrue("named: " + named, named >= 8);
        assertTrue("refused because they run backwards: " + refused, refused >= 2);
    }

    private static String trackId(Answer answer) {
        return answer.track == null ? null : answer.track.trackId;
    }

    private static Answer named(Recognizer recognizer, short[] pcm) throws Exception {
        MulawRing ring = new MulawRing(BUFFER);
        ring.write(pcm, 0, BUFFER);
        return recognizer.recognize(ring.read());
    }
}
