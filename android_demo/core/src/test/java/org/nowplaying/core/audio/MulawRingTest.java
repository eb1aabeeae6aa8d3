package org.nowplaying.core.audio;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.Test;
import org.nowplaying.core.Golden;

public class MulawRingTest {
    @Test
    public void bothTablesAreThoseOfPython() throws Exception {
        ByteBuffer encoded = Golden.array("mulaw-encoded.npy", "|u1", 65_536);
        for (int pcm = Short.MIN_VALUE; pcm <= Short.MAX_VALUE; pcm++) {
            assertEquals(encoded.get(), Mulaw.encode((short) pcm));
        }
        short[] decoded = Golden.shorts("mulaw-decoded.npy");
        for (int code = 0; code < 256; code++) {
            assertEquals(decoded[code], Mulaw.decode((byte) code));
        }
    }

    @Test
    public void samplesComeBackAsPythonsFloats() throws Exception {
        short[] every = new short[65_536];
        float[] expected = new float[every.length];
        for (int i = 0; i < every.length; i++) {
            every[i] = (short) (i - 32_768);
        }
        Golden.array("mulaw-floats.npy", "<f4", every.length).asFloatBuffer().get(expected);
        MulawRing ring = new MulawRing(every.length);
        ring.write(every, 0, every.length);
        assertArrayEquals(expected, ring.read(), 0f);
    }

    @Test
    public void theOldestMakesRoom() {
        short[] pcm = new short[1000];
        for (int i = 0; i < pcm.length; i++) {
            pcm[i] = (short) (i * 31);
        }
        MulawRing whole = new MulawRing(1000);
        whole.write(pcm, 0, 1000);
        MulawRing ring = new MulawRing(300);
        for (int at = 0, n = 1; at < 1000; at += n, n = n * 2 % 97 + 1) {
            ring.write(pcm, at, Math.min(n, 1000 - at));
            int end = Math.min(at + n, 1000);
            float[] expected = Arrays.copyOfRange(whole.read(), Math.max(0, end - 300), end);
            assertArrayEquals(expected, ring.read(), 0f);
            float[] newest = Arrays.copyOfRange(expected, Math.max(0, expected.length - 120), expected.length);
            assertArrayEquals(newest, ring.read(120), 0f);
            assertArrayEquals(expected, ring.read(Integer.MAX_VALUE), 0f);
        }
        ring.clear();
        assertEquals(0, ring.size());
        assertEquals(0, ring.read().length);
    }
}
