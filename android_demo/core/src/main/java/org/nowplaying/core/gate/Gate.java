package org.nowplaying.core.gate;

/**
 * Decides, one output of the detector after another, when recognizing is worth the energy.
 *
 * <p>Sums of whole 256ths over a window, two thresholds, consecutive hits; after each opening it rests for the
 * cool-down, until a recognized song should be over, or longer and longer while recognitions fail.
 */
public final class Gate {
    /** A probability is a whole number of these, as the int8 network puts it out. */
    public static final int STEPS = 256;

    private final GateSettings settings;
    private final int[] recent;
    private int seen;
    private int sum;
    private int hits;
    private boolean music;
    private boolean opened;
    private double restsUntilS;
    private double songUntilS;
    private double leftS;
    private int failures;

    public Gate(GateSettings settings) {
        this.settings = settings;
        recent = new int[settings.window];
        reset();
    }

    /** Forgets everything heard: what is missing in the first window counts as no music. */
    public void reset() {
        java.util.Arrays.fill(recent, 0);
        seen = sum = hits = failures = 0;
        music = opened = false;
        restsUntilS = songUntilS = leftS = Double.NEGATIVE_INFINITY;
    }

    /**
     * Takes one output of the detector in.
     *
     * @param timeS when it was known; must not go back
     * @param probability in 256ths, from 0 to 256
     * @return whether to recognize now: music has begun, or goes on after the gate has rested
     */
    public boolean step(double timeS, int probability) {
        int place = seen++ % recent.length;
        seen = seen == 2 * recent.length ? recent.length : seen;
        sum += probability - recent[place];
        recent[place] = probability;
        boolean wasMusic = music;
        hits = sum >= settings.enterSum ? hits + 1 : 0;
        music = wasMusic ? sum >= settings.leaveSum : hits >= settings.consecutiveHits;
        boolean entered = music && !wasMusic;
        if (wasMusic && !music) {
            // The song broke off: its length no longer says when to listen again.
            songUntilS = Double.NEGATIVE_INFINITY;
            leftS = timeS;
        }
        if (entered && timeS - leftS >= settings.coolDownS) {
            failures = 0; // other music than that which could not be recognized
        }
        boolean rested = timeS >= Math.max(restsUntilS, songUntilS);
        // A cool-down of zero opens once for each stretch of music; otherwise music that goes on opens again.
        opened = music && rested && (entered || settings.coolDownS > 0);
        if (opened) {
            restsUntilS = timeS + settings.coolDownS;
        }
        return opened;
    }

    /**
     * Takes in that a song was recognized.
     *
     * @param restOfSongS until it should be over; 0 when its length is not known
     */
    public void recognized(double timeS, double restOfSongS) {
        failures = 0;
        songUntilS = timeS + Math.min(Math.max(0, restOfSongS), settings.longestRestS);
    }

    /** Takes in that nothing was recognized: the first failure rests for the cool-down, each further one longer. */
    public void failed(double timeS) {
        double restS = Math.min(
                settings.coolDownS * Math.pow(settings.backOffFactor, failures), settings.longestRestS);
        restsUntilS = Math.max(restsUntilS, timeS + restS);
        failures++;
    }

    /** Returns whether what is heard is taken for music. */
    public boolean isMusic() {
        return music;
    }

    /** Returns the sum of the window's outputs, in 256ths. */
    public int sum() {
        return sum;
    }
}
