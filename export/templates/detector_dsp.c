/* $name. Generated; do not edit. */
#include "detector_dsp.h"

const uint16_t kDetectorStateBytes[DETECTOR_STATES] = {$state_bytes};

int8_t DetectorQuantize(uint16_t feature) {
  const int32_t step = (((int32_t)feature * 256) + $half_scale) / $full_scale + ($zero_point);
  return (int8_t)((step > 127) ? 127 : step);
}

bool DetectorHopIsQuiet(DetectorSilence* silence, const int16_t hop[DETECTOR_HOP_SAMPLES]) {
  int64_t energy = 0;
  for (uint32_t i = 0U; i < DETECTOR_HOP_SAMPLES; ++i) {
    energy += (int32_t)hop[i] * (int32_t)hop[i];
  }
  if (energy >= INT64_C($quiet_energy)) {
    silence->quiet_hops = 0U;
  } else if (silence->quiet_hops < ${hold_hops}U) {
    ++silence->quiet_hops;
  } else {
    /* Silence goes on. */
  }
  return silence->quiet_hops >= ${hold_hops}U;
}

bool DetectorGateStep(DetectorGate* gate, int8_t output) {
  const uint8_t probability = (uint8_t)((int32_t)output + 128);
  gate->sum += probability;
  gate->sum -= gate->recent[gate->next];
  gate->early_sum += probability;
  gate->early_sum -=
      gate->recent[(gate->next + (DETECTOR_GATE_WINDOW - DETECTOR_GATE_EARLY_WINDOW)) % DETECTOR_GATE_WINDOW];
  gate->recent[gate->next] = probability;
  gate->next = (${gate_index})((gate->next + 1U) % DETECTOR_GATE_WINDOW);
  if (gate->sum < ${enter_sum}U) {
    gate->hits = 0U;
  } else if (gate->hits < ${hits}U) {
    ++gate->hits;
  } else {
    /* Enough hits already. */
  }
  gate->is_music = gate->is_music ? ((gate->sum >= ${leave_sum}U) || (gate->early_sum >= ${early_leave_sum}U))
                                  : ((gate->hits >= ${hits}U) || (gate->early_sum >= ${early_enter_sum}U));
  return gate->is_music;
}

uint8_t DetectorMulaw(int16_t sample) {
  uint32_t magnitude = (uint32_t)((sample < 0) ? -(int32_t)sample : (int32_t)sample);
  uint32_t segment = 7U;
  if (magnitude > 32635U) {
    magnitude = 32635U;
  }
  magnitude += 132U;
  while ((segment > 0U) && (magnitude < (128U << segment))) {
    --segment;
  }
  return (uint8_t)(255U - (((sample < 0) ? 128U : 0U) | (segment << 4U) | ((magnitude >> (segment + 3U)) & 15U)));
}

void DetectorRingWrite(DetectorRing* ring, const int16_t* samples, uint32_t count) {
  for (uint32_t i = 0U; i < count; ++i) {
    ring->codes[ring->next] = DetectorMulaw(samples[i]);
    ring->next = (ring->next + 1U) % DETECTOR_RING_BYTES;
    if (ring->filled < DETECTOR_RING_BYTES) {
      ++ring->filled;
    }
  }
}

uint32_t DetectorRingRead(const DetectorRing* ring, uint32_t skip, uint8_t* codes, uint32_t count) {
  const uint32_t left = (skip < ring->filled) ? (ring->filled - skip) : 0U;
  const uint32_t n = (count < left) ? count : left;
  uint32_t at = (ring->next + (DETECTOR_RING_BYTES - ring->filled) + (ring->filled - left)) % DETECTOR_RING_BYTES;
  for (uint32_t i = 0U; i < n; ++i) {
    codes[i] = ring->codes[at];
    at = (at + 1U) % DETECTOR_RING_BYTES;
  }
  return n;
}
