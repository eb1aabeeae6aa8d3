package org.nowplaying.core.detect;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.RecordedRuntime;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.model.Model;
import org.nowplaying.core.model.ModelFolder;

/** Both forms of a detector graph are asked what Python asks them, step by step. */
public class NetworkTest {
    @Test
    public void everyFormAnswersAsInPython() throws Exception {
        int forms = 0;
        for (String form : new String[] {"stream", "window"}) {
            if (Files.exists(Golden.path("models/" + form))) {
                compare(form);
                forms++;
            }
        }
        assertTrue(forms > 0);
    }

    private static void compare(String form) throws Exception {
        Network network = open(form);
        ByteBuffer frames = Golden.array("network-" + form + "-frames.npy", "|i1", -1, Network.CHANNELS);
        List<Object> expected = Golden.list(Golden.json("network-" + form + ".json").get("outputs"));
        for (int round = 0; round < 2; round++, network.reset()) { // a reset forgets everything
            ByteBuffer heard = frames.duplicate();
            List<String> found = new ArrayList<>();
            byte[] frame = new byte[Network.CHANNELS];
            for (int n = 1; heard.hasRemaining(); n++) {
                heard.get(frame);
                if (network.process(frame)) {
                    found.add("[" + n + ", " + network.output() + "]");
                }
            }
            List<String> wanted = new ArrayList<>();
            expected.forEach(one -> wanted.add(one.toString()));
            assertEquals(form, wanted, found);
            assertTrue("the outputs move", new HashSet<>(found).size() > 20);
        }
    }

    private static Network open(String form) throws Exception {
        ModelFolder folder = new ModelFolder(Golden.path("models/" + form), "detector");
        Model model = new RecordedRuntime().open(folder.read("detector.tflite"));
        return Network.open(model, folder.tensors("detector.tflite"));
    }

    @Test
    public void theManifestOfAnotherModelIsRefused() throws Exception {
        ArtifactException error = assertThrows(ArtifactException.class,
                () -> new ModelFolder(Golden.path("models/fingerprinter"), "detector"));
        assertEquals(ArtifactException.Kind.CORRUPT, error.kind());
        ModelFolder folder = new ModelFolder(Golden.path("models/fingerprinter"), "fingerprinter");
        assertThrows(IllegalArgumentException.class, () -> Network.open(null, folder.tensors("encoder.tflite")));
        assertThrows(ArtifactException.class, () -> folder.read("detector.tflite"));
    }
}
