package org.nowplaying.core.detect;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.model.ModelFolder;
import org.nowplaying.core.tflite.JavaRuntime;

/** Every shipped detector, from samples to outputs, over ten minutes of recordings. */
public class DetectorsTest {
    @Test
    public void everyOutputOfTenMinutesIsThatOfPython() throws Exception {
        short[] pcm = Golden.shorts("detectors-pcm.npy");
        assertTrue("minutes: " + pcm.length / 960_000.0, pcm.length > 9.9 * 960_000);
        Map<String, Object> detectors = Golden.map(Golden.json("detectors.json").get("outputs"));
        assertTrue(detectors.size() > 0);
        for (String name : detectors.keySet()) {
            List<Integer> expected = new ArrayList<>();
            for (Object output : Golden.list(detectors.get(name))) {
                expected.add((int) Golden.number(output));
            }
            ModelFolder folder = new ModelFolder(Golden.path("models/" + name), "detector");
            assertEquals(name, expected, outputs(MusicDetector.open(folder, new JavaRuntime()), pcm));
            assertTrue(name, expected.stream().filter(output -> output > 128).count() > 50);
        }
    }

    private static List<Integer> outputs(MusicDetector detector, short[] pcm) {
        List<Integer> found = new ArrayList<>();
        for (int at = 0; at + 160 <= pcm.length; at += 160) {
            if (detector.process(pcm, at)) {
                found.add(detector.output());
            }
        }
        detector.close();
        return found;
    }
}
