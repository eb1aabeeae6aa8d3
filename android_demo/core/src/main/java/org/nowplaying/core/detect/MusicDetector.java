package org.nowplaying.core.detect;

import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.Json;
import org.nowplaying.core.frontend.MicroFrontend;
import org.nowplaying.core.gate.GateSettings;
import org.nowplaying.core.gate.Silence;
import org.nowplaying.core.model.Model;
import org.nowplaying.core.model.ModelFolder;

/** Front end, one or two networks and their memory: 10 ms of sound in, an output every 640 ms after the first 4.48 s. */
public final class MusicDetector {
    private static final String GRAPH = "detector.tflite";
    private static final String FRONTEND =
            "{\"hop_ms\":10,\"n_channels\":40,\"name\":\"tflite-micro microfrontend (pymicro-features 2)\","
                    + "\"quantization\":{\"full_scale\":666,\"rule\":\"(256*raw+333)//666-128\",\"zero_point\":-128},"
                    + "\"sample_rate_hz\":16000,\"window_ms\":30}";

    public final GateSettings gateSettings;
    private final Network network;
    private final SecondStage secondStage; // null where there is one network
    private final Silence silence;
    private final MicroFrontend frontend = new MicroFrontend();
    private final int[] raw = new int[MicroFrontend.N_CHANNELS];
    private final byte[] frame = new byte[MicroFrontend.N_CHANNELS];
    private int output;

    /**
     * Opens a detector's model folder.
     *
     * @throws ArtifactException when it is damaged, or made for another front end
     */
    public static MusicDetector open(ModelFolder folder, Model.Runtime runtime) throws ArtifactException {
        if (!FRONTEND.equals(Json.canonical(folder.get("frontend")))) {
            throw new ArtifactException(ArtifactException.Kind.MISMATCH, folder.name() + ": expected the front end "
                    + FRONTEND + ", found " + Json.canonical(folder.get("frontend")) + "; update the app");
        }
        Model model = folder.open(GRAPH, runtime);
        Model larger = null;
        try {
            Network network = new Network(model, folder.tensors(GRAPH));
            SecondStage secondStage = null;
            if (folder.get("cascade") != null) {
                larger = folder.open(SecondStage.GRAPH, runtime);
                secondStage = new SecondStage(larger, folder.tensors(SecondStage.GRAPH), folder.table("cascade"));
            }
            return new MusicDetector(network, secondStage, new GateSettings(folder.table("gate")));
        } catch (IllegalArgumentException | ArtifactException error) {
            model.close();
            if (larger != null) {
                larger.close();
            }
            throw error instanceof ArtifactException ? (ArtifactException) error
                    : new ArtifactException(ArtifactException.Kind.CORRUPT, folder.name() + ": " + error.getMessage());
        }
    }

    /**
     * Joins what was opened.
     *
     * @param secondStage null for a detector of one network
     */
    public MusicDetector(Network network, SecondStage secondStage, GateSettings gateSettings) {
        this.network = network;
        this.secondStage = secondStage;
        this.gateSettings = gateSettings;
        silence = new Silence(gateSettings.silenceDbfs, MicroFrontend.HOP_SAMPLES);
    }

    /**
     * Processes the next 10 ms.
     *
     * @param samples 16 kHz mono, of which 160 are read
     * @param offset where these begin
     * @return whether they complete an output
     */
    public boolean process(short[] samples, int offset) {
        boolean silent = silence.process(samples, offset);
        if (!frontend.process(samples, offset, raw)) {
            return false;
        }
        for (int i = 0; i < frame.length; i++) {
            frame[i] = silent ? Network.SILENT : MicroFrontend.quantize(raw[i]);
        }
        if (secondStage != null) {
            secondStage.put(frame);
        }
        if (!network.process(frame)) {
            return false;
        }
        output = secondStage == null ? network.output() : secondStage.confirm(network.output());
        return true;
    }

    /** Returns the newest output, from 0 to 255: 256 times the probability of music. */
    public int output() {
        return output;
    }

    /** Forgets all sound. */
    public void reset() {
        frontend.reset();
        silence.reset();
        network.reset();
        if (secondStage != null) {
            secondStage.reset();
        }
        output = 0;
    }

    public void close() {
        network.close();
        if (secondStage != null) {
            secondStage.close();
        }
    }
}
