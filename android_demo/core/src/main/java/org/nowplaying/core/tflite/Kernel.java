package org.nowplaying.core.tflite;

/** One operator with its arrays: computes the output's values from the inputs'. */
interface Kernel {
    void run();
}
