package org.nowplaying.core.listen;

import java.io.IOException;

/** Source of sound: 16 kHz mono, 16 bits. */
public interface Microphone {
    /**
     * Begins to record.
     *
     * @throws IOException when it is not available
     */
    void open() throws IOException;

    /**
     * Reads samples, waiting for them.
     *
     * @return how many were read, at least one
     * @throws IOException when the recording broke off
     */
    int read(short[] samples) throws IOException;

    /** Returns whether the system delivers silence because another app has the microphone. */
    boolean isSilenced();

    /** Stops recording; may be called when it is closed. */
    void close();
}
