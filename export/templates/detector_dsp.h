/* $name: what surrounds the network on a DSP, in integers. Generated; do not edit.
 *
 * Sound goes three ways at once: into the ring as mu-law; through the micro front end (tensorflow/lite/experimental/
 * microfrontend: ${sample_rate} Hz, ${window} samples every ${hop}, ${channels} channels from 125 to 7500 Hz, with the settings of
 * pymicro-features 2), whose uint16 outputs DetectorQuantize turns into the network's input; and past DetectorHopIsQuiet.
 *
 * Every DETECTOR_STEP_FRAMES new frames the network runs once:
 *   input 0        int8 [1, DETECTOR_KEPT_FRAMES + DETECTOR_STEP_FRAMES, 1, DETECTOR_CHANNELS]: kept frames, new frames
 *   input 1 + i    int8 state i, kDetectorStateBytes[i] bytes, at first all -128
 *   output 0       int8, (value + 128) / $steps is the probability of music
 *   output 1 + i   the last kDetectorStateBytes[i] bytes are the new state i
 * A stream begins with DETECTOR_SILENT_FRAMES frames of -128, and the first DETECTOR_FIRST_STEP - 1 outputs are not used.
 */
#ifndef DETECTOR_DSP_H_
#define DETECTOR_DSP_H_

#include <stdint.h>

#define DETECTOR_SAMPLE_RATE_HZ $sample_rate
#define DETECTOR_WINDOW_SAMPLES $window
#define DETECTOR_HOP_SAMPLES $hop
#define DETECTOR_CHANNELS $channels
#define DETECTOR_STEP_FRAMES $step_frames
#define DETECTOR_KEPT_FRAMES $kept_frames
#define DETECTOR_SILENT_FRAMES $silent_frames
#define DETECTOR_FIRST_STEP $first_output
#define DETECTOR_STATES $n_states
#define DETECTOR_RING_BYTES $ring_bytes /* eight seconds of mu-law */
#define DETECTOR_GATE_WINDOW $gate_window

/* Rests after a wake-up. The application processor applies them, because it knows the answers. */
#define DETECTOR_COOL_DOWN_MS $cool_down_ms
#define DETECTOR_BACK_OFF_FACTOR ${back_off}f
#define DETECTOR_LONGEST_REST_MS $longest_rest_ms

extern const uint16_t kDetectorStateBytes[DETECTOR_STATES];

/* One channel of the front end as the network's input: saturates at full scale. */
int8_t DetectorQuantize(uint16_t feature);

/* 1 while the last $hold_hops hops were all below the level of silence; then frames are fed to the network as -128. */
typedef struct {
  uint32_t quiet_hops;
} DetectorSilence;
int DetectorHopIsQuiet(DetectorSilence* silence, const int16_t hop[DETECTOR_HOP_SAMPLES]);

/* The gate: returns 1 while music is playing. All zeros is a new gate. */
typedef struct {
  uint8_t recent[DETECTOR_GATE_WINDOW];
  uint8_t next;
  uint8_t is_music;
  uint16_t hits;
  uint32_t sum;
} DetectorGate;
int DetectorGateStep(DetectorGate* gate, int8_t output);

/* The last eight seconds. All zeros is an empty ring. */
typedef struct {
  uint8_t codes[DETECTOR_RING_BYTES];
  uint32_t next;
  uint32_t filled;
} DetectorRing;
uint8_t DetectorMulaw(int16_t sample); /* ITU-T G.711 */
void DetectorRingWrite(DetectorRing* ring, const int16_t* samples, uint32_t count);

#endif /* DETECTOR_DSP_H_ */
