package org.nowplaying.core.gate;

/** Says whether the last 640 ms were silent, each 10 ms below a level, whatever the front end's gain makes of them. */
public final class Silence {
    private static final int HOLD_HOPS = 64; // pauses within soft music are shorter

    private final int hopSamples;
    private final long limit;
    private int quietHops;

    /** Sets the level, in dB of full scale; minus infinity for never. */
    public Silence(double levelDbfs, int hopSamples) {
        this.hopSamples = hopSamples;
        limit = (long) Math.rint(hopSamples * Math.pow(32_767.0 * Math.pow(10, levelDbfs / 20), 2));
    }

    /** Takes 10 ms in, and returns whether they end 640 silent ones. */
    public boolean process(short[] samples, int offset) {
        long energy = 0;
        for (int i = offset; i < offset + hopSamples; i++) {
            energy += samples[i] * samples[i];
        }
        quietHops = energy < limit ? quietHops + 1 : 0;
        return quietHops >= HOLD_HOPS;
    }

    public void reset() {
        quietHops = 0;
    }
}
