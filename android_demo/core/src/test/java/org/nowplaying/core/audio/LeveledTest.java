package org.nowplaying.core.audio;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;

/** Quiet buffers, offsets and clicks: samples and silence are Python's. */
public class LeveledTest {
    private static final float ROUNDING = 1e-6f;

    @Test
    public void buffersAreLeveledAsInPython() throws Exception {
        List<Object> buffers = Golden.list(Golden.json("levels.json").get("buffers"));
        for (int number = 0; number < buffers.size(); number++) {
            Map<String, Object> record = Golden.map(buffers.get(number));
            String name = (String) record.get("name");
            float[] expected = new float[(int) Golden.number(record.get("samples"))];
            Golden.array("level-" + number + "-leveled.npy", "<f4", expected.length).asFloatBuffer().get(expected);
            short[] pcm = Golden.shorts("level-" + number + "-pcm.npy");
            MulawRing ring = new MulawRing(pcm.length);
            ring.write(pcm, 0, pcm.length);
            Leveled leveled = Leveled.of(ring.read());
            assertArrayEquals(name, expected, leveled.samples, ROUNDING);
            assertEquals(name, Golden.number(record.get("silence_dbfs")), leveled.silenceDbfs, 1e-9);
        }
        assertEquals(9, buffers.size());
    }
}
