/* $name: what surrounds the network on a DSP, in integers. Generated; do not edit.
 *
 * Sound goes three ways at once: into the ring as mu-law; through the micro front end (tensorflow/lite/experimental/
 * microfrontend: ${sample_rate} Hz, ${window} samples every ${hop}, ${channels} channels from 125 to 7500 Hz, with the settings
 * below), whose uint16 outputs DetectorQuantize turns into the network's input; and past DetectorHopIsQuiet.
 *
 * detector_network.h runs the network in C. In TensorFlow Lite Micro it runs once every DETECTOR_STEP_FRAMES new frames:
 *   input 0        int8 [1, DETECTOR_KEPT_FRAMES + DETECTOR_STEP_FRAMES, 1, DETECTOR_CHANNELS]: kept frames, new frames
 *   input 1 + i    int8 state i, kDetectorStateBytes[i] bytes, at first all -128
 *   output 0       int8, (value + 128) / $steps is the probability of music
 *   output 1 + i   the last kDetectorStateBytes[i] bytes are the new state i
 * A stream begins with DETECTOR_SILENT_FRAMES frames of -128, and the first DETECTOR_FIRST_STEP - 1 outputs are not used.
 */
#ifndef DETECTOR_DSP_H_
#define DETECTOR_DSP_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DETECTOR_SAMPLE_RATE_HZ ${sample_rate}U
#define DETECTOR_WINDOW_SAMPLES ${window}U
#define DETECTOR_HOP_SAMPLES ${hop}U
#define DETECTOR_CHANNELS ${channels}U

/* What the micro front end does with its channels: FrontendConfig's noise_reduction and pcan_gain_control. */
#define DETECTOR_EVEN_SMOOTHING $even_smoothing
#define DETECTOR_ODD_SMOOTHING $odd_smoothing
#define DETECTOR_MIN_SIGNAL_REMAINING $min_signal_remaining
#define DETECTOR_HAS_GAIN_CONTROL $has_gain_control
#define DETECTOR_GAIN_STRENGTH $gain_strength
#define DETECTOR_GAIN_OFFSET $gain_offset
#define DETECTOR_GAIN_BITS $gain_bits

#define DETECTOR_STEP_FRAMES ${step_frames}U
#define DETECTOR_KEPT_FRAMES ${kept_frames}U
#define DETECTOR_SILENT_FRAMES ${silent_frames}U
#define DETECTOR_FIRST_STEP ${first_output}U
#define DETECTOR_STATES ${n_states}U
#define DETECTOR_ALL_STATES_BYTES ${all_states_bytes}U /* the sum of kDetectorStateBytes */
#define DETECTOR_RING_BYTES ${ring_bytes}U /* eight seconds of mu-law */
#define DETECTOR_GATE_WINDOW ${gate_window}U
#define DETECTOR_GATE_EARLY_WINDOW ${early_window}U /* the newest outputs, which alone may open the gate */

/* Rests after a wake-up. The application processor applies them, because it knows the answers. */
#define DETECTOR_COOL_DOWN_MS ${cool_down_ms}U
#define DETECTOR_BACK_OFF_FACTOR ${back_off}f
#define DETECTOR_LONGEST_REST_MS ${longest_rest_ms}U

extern const uint16_t kDetectorStateBytes[DETECTOR_STATES];

/* One channel of the front end as the network's input: saturates at full scale. */
int8_t DetectorQuantize(uint16_t feature);

/* True while the last $hold_hops hops were all below the level of silence; then frames are fed to the network as -128. */
typedef struct {
  uint32_t quiet_hops;
} DetectorSilence;
bool DetectorHopIsQuiet(DetectorSilence* silence, const int16_t hop[DETECTOR_HOP_SAMPLES]);

/* The gate: true while music is playing. All zeros is a new gate. */
typedef struct {
  uint8_t recent[DETECTOR_GATE_WINDOW];
  ${gate_index} next;
  bool is_music;
  uint16_t hits;
  uint32_t sum;
  uint32_t early_sum;
} DetectorGate;
bool DetectorGateStep(DetectorGate* gate, int8_t output);

/* The last eight seconds. All zeros is an empty ring. */
typedef struct {
  uint8_t codes[DETECTOR_RING_BYTES];
  uint32_t next;
  uint32_t filled;
} DetectorRing;
uint8_t DetectorMulaw(int16_t sample); /* ITU-T G.711 */
void DetectorRingWrite(DetectorRing* ring, const int16_t* samples, uint32_t count);
/* Copies up to `count` codes, oldest first, beginning `skip` codes after the oldest. Returns how many there were. */
uint32_t DetectorRingRead(const DetectorRing* ring, uint32_t skip, uint8_t* codes, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif /* DETECTOR_DSP_H_ */
