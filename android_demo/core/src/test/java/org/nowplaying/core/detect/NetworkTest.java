package org.nowplaying.core.detect;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.Test;
import org.nowplaying.core.Golden;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.model.Model;
import org.nowplaying.core.model.ModelFolder;
import org.nowplaying.core.tflite.JavaRuntime;

/** The network puts out what Python's does, step by step. */
public class NetworkTest {
    @Test
    public void everyOutputIsThatOfPython() throws Exception {
        ModelFolder folder = new ModelFolder(Golden.path("models/random-detector"), "detector");
        Model model = folder.open("detector.tflite", new JavaRuntime());
        Network network = new Network(model, folder.tensors("detector.tflite"));
        ByteBuffer frames = Golden.array("network-frames.npy", "|i1", -1, Network.CHANNELS);
        List<Object> expected = Golden.list(Golden.json("network.json").get("outputs"));
        List<String> wanted = new ArrayList<>();
        expected.forEach(one -> wanted.add(one.toString()));
        for (int round = 0; round < 2; round++, network.reset()) { // a reset forgets everything
            ByteBuffer rest = frames.duplicate();
            List<String> found = new ArrayList<>();
            byte[] frame = new byte[Network.CHANNELS];
            for (int n = 1; rest.hasRemaining(); n++) {
                rest.get(frame);
                if (network.process(frame)) {
                    found.add("[" + n + ", " + network.output() + "]");
                }
            }
            assertEquals(wanted, found);
            assertTrue("the outputs move", new HashSet<>(found).size() > 20);
        }
    }

    @Test
    public void theManifestOfAnotherModelIsRefused() throws Exception {
        ArtifactException error = assertThrows(ArtifactException.class,
                () -> new ModelFolder(Golden.path("models/fingerprinter"), "detector"));
        assertEquals(ArtifactException.Kind.CORRUPT, error.kind());
        ModelFolder folder = new ModelFolder(Golden.path("models/fingerprinter"), "fingerprinter");
        assertThrows(IllegalArgumentException.class, () -> new Network(null, folder.tensors("encoder.tflite")));
        assertThrows(ArtifactException.class, () -> folder.open("detector.tflite", new JavaRuntime()));
    }
}
