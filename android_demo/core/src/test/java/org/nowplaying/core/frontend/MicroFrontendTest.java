package org.nowplaying.core.frontend;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.gate.Silence;

public class MicroFrontendTest {
    private static final int HOP = MicroFrontend.HOP_SAMPLES;

    @Test
    public void featuresAreBitEqualToPymicroFeatures() throws Exception {
        Map<String, Object> record = Golden.json("frontend.json");
        List<Object> names = Golden.list(record.get("names"));
        assertTrue(names.size() >= 20);
        MicroFrontend frontend = new MicroFrontend();
        for (Object name : names) {
            short[] pcm = Golden.shorts("frontend-" + name + "-pcm.npy");
            ByteBuffer raw = Golden.array("frontend-" + name + "-raw.npy", "<u2", -1, MicroFrontend.N_CHANNELS);
            ByteBuffer quantized = Golden.array("frontend-" + name + "-int8.npy", "|i1", -1, MicroFrontend.N_CHANNELS);
            int frames = raw.remaining() / 2 / MicroFrontend.N_CHANNELS;
            assertEquals(pcm.length / HOP - 2, frames);
            frontend.reset();
            int[] found = new int[MicroFrontend.N_CHANNELS];
            for (int hop = 0; hop < frames + 2; hop++) {
                assertEquals(hop >= 2, frontend.process(pcm, hop * HOP, found));
                for (int channel = 0; hop >= 2 && channel < MicroFrontend.N_CHANNELS; channel++) {
                    String place = name + ", frame " + (hop - 2) + ", channel " + channel;
                    assertEquals(place, raw.getShort() & 0xFFFF, found[channel]);
                    assertEquals(place, quantized.get(), MicroFrontend.quantize(found[channel]));
                }
            }
        }
    }

    @Test
    public void silenceIsHeardAsInPython() throws Exception {
        Map<String, Object> record = Golden.json("frontend.json");
        int silent = 0;
        for (Object name : Golden.list(record.get("names"))) {
            short[] pcm = Golden.shorts("frontend-" + name + "-pcm.npy");
            ByteBuffer expected = Golden.array("frontend-" + name + "-silent.npy", "|u1", -1);
            Silence silence = new Silence(Golden.number(record.get("silence_dbfs")), HOP);
            for (int hop = 0; hop < pcm.length / HOP; hop++) {
                boolean found = silence.process(pcm, hop * HOP);
                if (hop >= 2) {
                    assertEquals(name + ", hop " + hop, expected.get() != 0, found);
                    silent += found ? 1 : 0;
                }
            }
        }
        assertTrue("something was silent", silent > 0);
    }

    @Test
    public void aResetForgetsWhatWasHeard() throws Exception {
        short[] pcm = Golden.shorts("frontend-noise-pcm.npy");
        MicroFrontend frontend = new MicroFrontend();
        int[] first = frame(frontend, pcm);
        int[] second = frame(frontend, pcm);
        frontend.reset();
        assertArrayEquals(first, frame(frontend, pcm));
        assertFalse(java.util.Arrays.equals(first, second));
    }

    private static int[] frame(MicroFrontend frontend, short[] pcm) {
        int[] raw = new int[MicroFrontend.N_CHANNELS];
        for (int hop = 0; hop < 50; hop++) {
            frontend.process(pcm, hop * HOP, raw);
        }
        return raw;
    }
}
