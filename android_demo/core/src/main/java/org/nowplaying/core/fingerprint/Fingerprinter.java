package org.nowplaying.core.fingerprint;

import java.nio.ByteBuffer;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.artifact.FileHash;
import org.nowplaying.core.audio.Leveled;
import org.nowplaying.core.match.Acceptance;
import org.nowplaying.core.model.Model;
import org.nowplaying.core.model.ModelFolder;
import org.nowplaying.core.model.ModelFolder.Tensors;
import org.nowplaying.core.model.TensorSpec;

/** Fingerprints a query: float front end, int8 encoder, one unit vector per step; zeros for silence. */
public final class Fingerprinter {
    private static final String FRONT_END = "frontend.tflite";
    private static final String ENCODER = "encoder.tflite";
    private static final double LEVEL_FLOOR = 1e-10; // -100 dBFS, below the last bit of 16-bit audio

    public final String embeddingSpace;

    /** Numbers of a fingerprint. */
    public final int dim;

    public final Acceptance acceptance;
    public final double queryHopS;
    public final int sampleRateHz;
    private final Model frontEnd;
    private final Model encoder;
    private final TensorSpec encoderInput;
    private final QueryOverhang overhang;
    private final int windowSamples;
    private final ByteBuffer[] window;
    private final ByteBuffer[] image;
    private final ByteBuffer[] quantized;
    private final ByteBuffer[] embedding;

    /**
     * Returns how many numbers a fingerprint has, without opening the graphs.
     *
     * @throws ArtifactException when the manifest does not state it
     */
    public static int dimOf(ModelFolder folder) throws ArtifactException {
        return folder.tensors(ENCODER).outputs.get(0).elements();
    }

    /**
     * Opens a fingerprinter's model folder.
     *
     * @throws ArtifactException when it is damaged, or its two graphs do not fit together
     */
    public Fingerprinter(ModelFolder folder, Model.Runtime runtime) throws ArtifactException {
        Tensors first = folder.tensors(FRONT_END);
        Tensors second = folder.tensors(ENCODER);
        encoderInput = second.inputs.get(0);
        TensorSpec samples = first.inputs.get(0);
        TensorSpec output = second.outputs.get(0);
        Object sampleRate = folder.table("front_end").get("sample_rate_hz");
        boolean fits = samples.type == TensorSpec.Type.FLOAT32 && output.type == TensorSpec.Type.FLOAT32
                && first.outputs.get(0).type == TensorSpec.Type.FLOAT32 && encoderInput.type == TensorSpec.Type.INT8
                && first.outputs.get(0).elements() == encoderInput.elements() && encoderInput.scale > 0
                && sampleRate instanceof Number && ((Number) sampleRate).intValue() > 0
                && folder.get("query_hop_s") instanceof Number
                && ((Number) folder.get("query_hop_s")).doubleValue() > 0;
        if (!fits) {
            throw new ArtifactException(ArtifactException.Kind.CORRUPT, folder.name()
                    + ": front end and encoder do not fit together, or settings are missing; export both again");
        }
        windowSamples = samples.elements();
        dim = dimOf(folder);
        sampleRateHz = ((Number) sampleRate).intValue();
        queryHopS = ((Number) folder.get("query_hop_s")).doubleValue();
        overhang = new QueryOverhang(folder, windowSamples / (double) sampleRateHz);
        embeddingSpace = FileHash.sha256(folder.graphSha256(FRONT_END) + folder.graphSha256(ENCODER)).substring(0, 16);
        try {
            acceptance = new Acceptance(folder.table("acceptance"));
        } catch (IllegalArgumentException error) {
            throw new ArtifactException(ArtifactException.Kind.CORRUPT, folder.name() + ": " + error.getMessage());
        }
        window = new ByteBuffer[] {samples.allocate()};
        image = new ByteBuffer[] {first.outputs.get(0).allocate()};
        quantized = new ByteBuffer[] {encoderInput.allocate()};
        embedding = new ByteBuffer[] {output.allocate()};
        frontEnd = folder.open(FRONT_END, runtime);
        encoder = folder.open(ENCODER, runtime);
    }

    /**
     * Fingerprints a query as it is, with the usual silence.
     *
     * @param samples mono, in [-1, 1]
     * @return one row for each step; row i covers a window from {@code firstS(samples.length) + i * queryHopS} on
     */
    public float[][] embed(float[] samples) {
        return embed(samples, Leveled.SILENCE_DBFS, queryHopS);
    }

    /** Fingerprints a query at another step; rows of windows at or below a level are zero. */
    public float[][] embed(float[] samples, double silenceDbfs, double hopS) {
        int hop = (int) Math.rint(hopS * sampleRateHz);
        int beyond = (int) Math.rint(-firstS(samples.length) * sampleRateHz);
        int n = Math.max(1, Math.floorDiv(samples.length + 2 * beyond - windowSamples, hop) + 1);
        float[][] rows = new float[n][];
        for (int row = 0; row < n; row++) {
            rows[row] = vector(samples, row * hop - beyond, silenceDbfs);
        }
        return rows;
    }

    /**
     * Returns where the first window of a query begins, in seconds: before its first sample where windows overhang it.
     *
     * @param samples length of the query
     */
    public double firstS(int samples) {
        double beyondS = overhang.secondsFor(samples / (double) sampleRateHz);
        return beyondS > 0 ? -beyondS : 0;
    }

    private float[] vector(float[] samples, int start, double silenceDbfs) {
        double power = 0;
        for (int i = 0; i < windowSamples; i++) {
            int at = start + i;
            float sample = at >= 0 && at < samples.length ? samples[at] : 0;
            window[0].putFloat(4 * i, sample);
            power += (double) sample * sample / windowSamples;
        }
        float[] vector = new float[dim];
        // Silence is the same in every song, so it must not count as evidence.
        if (10 * Math.log10(power + LEVEL_FLOOR) <= silenceDbfs) {
            return vector;
        }
        run(frontEnd, window, image);
        for (int i = 0; i < encoderInput.elements(); i++) {
            quantized[0].put(i, encoderInput.quantize(image[0].getFloat(4 * i)));
        }
        run(encoder, quantized, embedding);
        float squares = 0;
        for (int i = 0; i < dim; i++) {
            vector[i] = embedding[0].getFloat(4 * i);
            squares += vector[i] * vector[i];
        }
        float length = (float) Math.sqrt(squares + 1e-12f);
        for (int i = 0; i < dim; i++) {
            vector[i] /= length;
        }
        return vector;
    }

    private static void run(Model model, ByteBuffer[] inputs, ByteBuffer[] outputs) {
        inputs[0].rewind();
        outputs[0].rewind();
        model.run(inputs, outputs);
    }

    public void close() {
        frontEnd.close();
        encoder.close();
    }
}
