package org.nowplaying.core.listen;

/** Time that goes on while the phone sleeps, and never back. */
public interface Clock {
    double nowS();

    /**
     * Waits so long, or until {@link #wake}.
     *
     * @param wakesPhone whether to wake a sleeping phone for it
     */
    void waitS(double seconds, boolean wakesPhone) throws InterruptedException;

    /** Ends the present or the next wait; may be called from any thread. */
    void wake();
}
