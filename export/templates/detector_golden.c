/* $name. Generated; do not edit. */
#include "detector_golden.h"

#include <string.h>

#define QUIET_HOPS ${golden_quiet_hops}U
#define RING_FNV1A ${golden_ring_fnv1a}U /* of all codes in the ring at the end, oldest first */

const int8_t kDetectorGoldenFrames[DETECTOR_GOLDEN_FRAMES * DETECTOR_CHANNELS] = {
$golden_features
};

const int8_t kDetectorGoldenOutputs[DETECTOR_GOLDEN_OUTPUTS] = {
$golden_output_array
};

const bool kDetectorGoldenIsMusic[DETECTOR_GOLDEN_OUTPUTS] = {
$golden_is_music
};

const int8_t kDetectorGoldenGateOutputs[DETECTOR_GOLDEN_GATE] = {
$golden_gate_outputs
};

const bool kDetectorGoldenGateIsMusic[DETECTOR_GOLDEN_GATE] = {
$golden_gate_is_music
};

/* Hertz; a new note every quarter second. */
static const uint16_t kNotes[12] = {220U, 277U, 330U, 440U, 330U, 277U, 196U, 247U, 294U, 392U, 294U, 247U};

int16_t DetectorGoldenSample(uint32_t number) {
  const uint32_t second = number / DETECTOR_SAMPLE_RATE_HZ;
  const bool is_music = (second >= 2U) && (second < 12U);
  uint32_t hash = number * 2654435761U;
  hash ^= hash >> 15U;
  hash *= 2246822507U;
  hash ^= hash >> 13U;
  hash *= 3266489909U;
  const int32_t noise = (int32_t)(hash >> 16U) - 32768;
  const int32_t level = (second < 2U) ? 8 : (is_music ? 100 : 2000);
  int32_t sample = (noise * level) / 32768;
  if (is_music) {
    /* Three harmonics as triangles, which fade until the next note. */
    const uint32_t age = number % 4000U;
    const uint32_t step = (uint32_t)(((uint64_t)kNotes[(number / 4000U) % 12U] << 32U) / DETECTOR_SAMPLE_RATE_HZ);
    int32_t tone = 0;
    for (uint32_t harmonic = 1U; harmonic <= 3U; ++harmonic) {
      const int32_t saw = (int32_t)((step * harmonic * age) >> 16U) - 32768;
      tone += (2 * ((saw < 0) ? -saw : saw)) - 32768;
    }
    sample += (tone * (int32_t)(4000U - age)) / 32768;
  }
  return (int16_t)sample;
}

static uint32_t CheckSound(DetectorRing* ring) {
  DetectorSilence silence = {0U};
  uint32_t quiet_hops = 0U;
  uint32_t fnv1a = 2166136261U;
  uint32_t n_read = 0U;
  uint32_t n = 0U;
  uint8_t codes[DETECTOR_HOP_SAMPLES];
  for (uint32_t hop = 0U; hop < DETECTOR_GOLDEN_HOPS; ++hop) {
    int16_t samples[DETECTOR_HOP_SAMPLES];
    for (uint32_t i = 0U; i < DETECTOR_HOP_SAMPLES; ++i) {
      samples[i] = DetectorGoldenSample((hop * DETECTOR_HOP_SAMPLES) + i);
    }
    DetectorRingWrite(ring, samples, DETECTOR_HOP_SAMPLES);
    quiet_hops += DetectorHopIsQuiet(&silence, samples) ? 1U : 0U;
  }
  do {
    n = DetectorRingRead(ring, n_read, codes, DETECTOR_HOP_SAMPLES);
    for (uint32_t i = 0U; i < n; ++i) {
      fnv1a = (fnv1a ^ codes[i]) * 16777619U;
    }
    n_read += n;
  } while (n > 0U);
  return ((quiet_hops == QUIET_HOPS) ? 0U : DETECTOR_CHECK_SILENCE) |
         (((n_read == DETECTOR_RING_BYTES) && (fnv1a == RING_FNV1A)) ? 0U : DETECTOR_CHECK_RING);
}

static uint32_t CheckGate(const int8_t* outputs, const bool* is_music, uint32_t count) {
  DetectorGate gate;
  uint32_t result = 0U;
  (void)memset(&gate, 0, sizeof(gate));
  for (uint32_t i = 0U; i < count; ++i) {
    if (DetectorGateStep(&gate, outputs[i]) != is_music[i]) {
      result = DETECTOR_CHECK_GATE;
    }
  }
  return result;
}

static uint32_t CheckNetwork(DetectorNetwork* network) {
  uint32_t n = 0U;
  uint32_t n_equal = 0U;
  for (uint32_t frame = 0U; frame < DETECTOR_GOLDEN_FRAMES; ++frame) {
    int8_t output = 0;
    if (DetectorNetworkPush(network, &kDetectorGoldenFrames[frame * DETECTOR_CHANNELS], &output)) {
      n_equal += ((n < DETECTOR_GOLDEN_OUTPUTS) && (output == kDetectorGoldenOutputs[n])) ? 1U : 0U;
      ++n;
    }
  }
  return ((n == DETECTOR_GOLDEN_OUTPUTS) && (n_equal == n)) ? 0U : DETECTOR_CHECK_NETWORK;
}

uint32_t DetectorCheck(DetectorNetwork* network, DetectorRing* ring) {
  uint32_t result = CheckGate(kDetectorGoldenOutputs, kDetectorGoldenIsMusic, DETECTOR_GOLDEN_OUTPUTS) |
                    CheckGate(kDetectorGoldenGateOutputs, kDetectorGoldenGateIsMusic, DETECTOR_GOLDEN_GATE);
  (void)memset(ring, 0, sizeof(*ring));
  DetectorNetworkReset(network);
  result |= CheckSound(ring) | CheckNetwork(network);
  (void)memset(ring, 0, sizeof(*ring));
  DetectorNetworkReset(network);
  return result;
}
