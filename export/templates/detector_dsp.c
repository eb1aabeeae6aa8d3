/* $name. Generated; do not edit. */
#include "detector_dsp.h"

const uint16_t kDetectorStateBytes[DETECTOR_STATES] = {$state_bytes};

int8_t DetectorQuantize(uint16_t feature) {
  int32_t step = ((int32_t)feature * 256 + $half_scale) / $full_scale + ($zero_point);
  return (int8_t)(step > 127 ? 127 : step);
}

int DetectorHopIsQuiet(DetectorSilence* silence, const int16_t hop[DETECTOR_HOP_SAMPLES]) {
  int64_t energy = 0;
  for (int i = 0; i < DETECTOR_HOP_SAMPLES; ++i) {
    energy += (int32_t)hop[i] * hop[i];
  }
  if (energy >= INT64_C($quiet_energy)) {
    silence->quiet_hops = 0;
  } else if (silence->quiet_hops < $hold_hops) {
    ++silence->quiet_hops;
  }
  return silence->quiet_hops >= $hold_hops;
}

int DetectorGateStep(DetectorGate* gate, int8_t output) {
  uint8_t probability = (uint8_t)(output + 128);
  gate->sum += probability;
  gate->sum -= gate->recent[gate->next];
  gate->recent[gate->next] = probability;
  gate->next = (uint8_t)((gate->next + 1) % DETECTOR_GATE_WINDOW);
  if (gate->sum < $enter_sum) {
    gate->hits = 0;
  } else if (gate->hits < $hits) {
    ++gate->hits;
  }
  gate->is_music = gate->is_music ? gate->sum >= $leave_sum : gate->hits >= $hits;
  return gate->is_music;
}

uint8_t DetectorMulaw(int16_t sample) {
  int32_t magnitude = sample < 0 ? -(int32_t)sample : sample;
  int segment = 7;
  if (magnitude > 32635) {
    magnitude = 32635;
  }
  magnitude += 132;
  while (segment > 0 && magnitude < (128 << segment)) {
    --segment;
  }
  return (uint8_t)~((sample < 0 ? 0x80 : 0) | (segment << 4) | ((magnitude >> (segment + 3)) & 15));
}

void DetectorRingWrite(DetectorRing* ring, const int16_t* samples, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    ring->codes[ring->next] = DetectorMulaw(samples[i]);
    ring->next = (ring->next + 1) % DETECTOR_RING_BYTES;
    if (ring->filled < DETECTOR_RING_BYTES) {
      ++ring->filled;
    }
  }
}
