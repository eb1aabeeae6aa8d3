package org.nowplaying.core.listen;

/** Monotonic time that continues while the phone sleeps. */
public interface Clock {
    double nowS();

    /**
     * Waits for a time, or until {@link #wake}.
     *
     * @param wakesPhone whether to wake a sleeping phone for it
     */
    void waitS(double seconds, boolean wakesPhone) throws InterruptedException;

    /** Ends the present or the next wait; may be called from any thread. */
    void wake();
}
