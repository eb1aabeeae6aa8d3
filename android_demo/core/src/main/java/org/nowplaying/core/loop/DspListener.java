package org.nowplaying.core.loop;

import org.nowplaying.core.detect.MusicDetector;
import org.nowplaying.core.gate.Gate;

/** The always-on side: detector and gate, and since when there has been music. */
final class DspListener {
    private static final double STEPS = Gate.STEPS;

    private final MusicDetector detector;
    private final Gate gate;
    private final int windows;
    private final double enter;
    private double musicSinceS;
    private int sincePositive;

    DspListener(MusicDetector detector) {
        this.detector = detector;
        gate = new Gate(detector.gateSettings);
        windows = detector.gateSettings.window;
        enter = detector.gateSettings.enterThreshold;
        reset();
    }

    void reset() {
        detector.reset();
        gate.reset();
        musicSinceS = Double.NaN;
        sincePositive = 0;
    }

    /** Processes 10 ms that end at {@code nowS}, and returns whether the detector has a new output. */
    boolean process(short[] samples, int offset, double nowS) {
        if (!detector.process(samples, offset)) {
            return false;
        }
        gate.step(detector.output());
        if (detector.output() / STEPS >= enter) {
            sincePositive = 0;
            musicSinceS = Double.isNaN(musicSinceS) ? nowS : musicSinceS;
        } else if (++sincePositive >= windows) {
            // One weak window within the gate's own memory does not end a run of music.
            musicSinceS = Double.NaN;
        }
        return true;
    }

    boolean isMusic() {
        return gate.isMusic();
    }

    double musicSinceS() {
        return musicSinceS;
    }

    double probability() {
        return detector.output() / STEPS;
    }
}
