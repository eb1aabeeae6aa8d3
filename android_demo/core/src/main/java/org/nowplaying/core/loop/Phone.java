package org.nowplaying.core.loop;

import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.audio.MulawRing;
import org.nowplaying.core.detect.MusicDetector;
import org.nowplaying.core.frontend.MicroFrontend;

/**
 * A phone that listens for music: detector, ring buffer, recognizer, and the loop between them.
 *
 * <p>The sound is the clock: 10 ms pass with every 160 samples. While the microphone is closed, {@link #skip} lets time
 * pass. Use it from one thread.
 */
public final class Phone {
    /** Samples in a step of 10 ms. */
    public static final int STEP_SAMPLES = MicroFrontend.HOP_SAMPLES;

    private static final double STEPS_PER_S = 100;

    /** How much higher the odds of a name have to be at an early look: the last one may give a wrong name too. */
    private static final double EARLY_ODDS = 10;

    /** Recognizes the song in a buffer. */
    public interface SongRecognizer {
        Answer recognize(float[] samples) throws ArtifactException;
    }

    private final DspListener listener;
    private final MulawRing ring;
    private final PhoneLoop loop;
    private final short[] pending = new short[STEP_SAMPLES];
    private int held;
    private long steps;
    private boolean paused;
    private ArtifactException failure;

    /**
     * Puts the parts together.
     *
     * @param answerS duration of an answer on the clock of the sound; 0 when the sound is live
     */
    public Phone(
            MusicDetector detector, SongRecognizer recognizer, LoopSettings settings, double answerS, Event.Sink sink) {
        listener = new DspListener(detector);
        ring = new MulawRing((int) Math.rint(settings.bufferS * MicroFrontend.SAMPLE_RATE_HZ));
        loop = new PhoneLoop(
                new PhoneLoop.Answering() {
                    @Override
                    public Answer answer(double nowS, double newestS) {
                        float[] samples = ring.read(samplesOf(newestS));
                        double bufferS = samples.length / (double) MicroFrontend.SAMPLE_RATE_HZ;
                        try {
                            Answer answer = recognizer.recognize(samples);
                            boolean counts = Double.isInfinite(newestS) || answer.isSure(EARLY_ODDS);
                            return counts ? answer : Answer.unknown(bufferS);
                        } catch (ArtifactException error) {
                            failure = error;
                            return Answer.unknown(bufferS);
                        }
                    }

                    @Override
                    public double takesS(Answer answer) {
                        return answerS;
                    }
                },
                settings,
                sink);
    }

    private static int samplesOf(double seconds) {
        return (int) Math.min(Integer.MAX_VALUE, Math.rint(seconds * MicroFrontend.SAMPLE_RATE_HZ));
    }

    public State state() {
        return loop.state();
    }

    /** Returns the seconds passed, in whole steps. */
    public double nowS() {
        return steps / STEPS_PER_S;
    }

    /** Returns whether the gate is open. */
    public boolean isMusic() {
        return listener.isMusic();
    }

    /** Returns the detector's newest probability of music. */
    public double probability() {
        return listener.probability();
    }

    /**
     * Processes one more chunk; the events do not depend on its length.
     *
     * @throws ArtifactException when a song was recognized whose metadata cannot be read
     */
    public void feed(short[] samples, int offset, int length) throws ArtifactException {
        if (loop.state() == State.OFF) {
            loop.switchOn();
        }
        int at = offset;
        while (at < offset + length) {
            int taken = Math.min(STEP_SAMPLES - held, offset + length - at);
            System.arraycopy(samples, at, pending, held, taken);
            held += taken;
            at += taken;
            if (held == STEP_SAMPLES) {
                held = 0;
                step();
            }
        }
        if (failure != null) {
            ArtifactException thrown = failure;
            failure = null;
            throw thrown;
        }
    }

    private void step() {
        double endS = (steps + 1) / STEPS_PER_S;
        ring.write(pending, 0, STEP_SAMPLES);
        steps++;
        loop.advance(endS);
        if (paused) {
            paused = false;
            loop.resume();
        }
        if (listener.process(pending, 0, endS)) {
            loop.updateGate(listener.isMusic(), listener.musicSinceS());
            loop.advance(endS);
        }
    }

    /** Lets time pass without sound, because the microphone is closed. */
    public void skip(double seconds, String reason) {
        long passed = Math.round(seconds * STEPS_PER_S);
        held = 0;
        if (passed <= 0) {
            return;
        }
        steps++;
        loop.advance(nowS());
        if (!paused) {
            // Sound from before a pause must not be used after it.
            listener.reset();
            ring.clear();
            paused = true;
        }
        loop.pause(reason);
        steps += passed - 1;
        loop.advance(nowS());
    }

    /** Ends the sound: a capture under way is recognized with what the buffer holds. */
    public void finish() {
        loop.endCapture();
        while (loop.state() == State.RECOGNIZING) {
            loop.finishAnswer();
        }
        loop.switchOff("end of the sound");
    }
}
