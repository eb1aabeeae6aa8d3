// On an emulated Cortex-M4: checks the build against the golden vectors, counts instructions and the deepest stack of every
// part, and prints them as JSON.
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "../golden.h"
#include "../listener.h"
#include "emulator.h"

namespace {

Listener listener;

}  // namespace

int main() {
  StartClock();
  const uint32_t result = DetectorCheck(listener.network()->get(), listener.ring());
  if (!listener.Begin()) {
    return 3;
  }
  Cost record = {"record", 0, 0, 0, 0}, features = {"front_end", 0, 0, 0, 0}, frame = {"frame", 0, 0, 0, 0};
  Cost step = {"network_step", 0, 0, 0, 0};
#if LISTENER_SECOND_STAGE
  Cost second = {"second_stage", 0, 0, 0, 0};
  DetectorSecondStage* stage = listener.network()->second_stage();
#endif
  DetectorGate gate = {};
  uint32_t n_frames = 0, n_outputs = 0, n_wrong = 0;
  for (uint32_t hop = 0; hop < DETECTOR_GOLDEN_HOPS; ++hop) {
    int16_t samples[DETECTOR_HOP_SAMPLES];
    for (uint32_t i = 0; i < DETECTOR_HOP_SAMPLES; ++i) {
      samples[i] = DetectorGoldenSample(hop * DETECTOR_HOP_SAMPLES + i);
    }
    bool is_quiet = false, has_output = false;
    const uint16_t* values = nullptr;
    int8_t quantized[DETECTOR_CHANNELS], output = 0;
    record.Measure([&] { is_quiet = listener.frames()->Record(samples); });
    features.Measure([&] { values = listener.frames()->Features(samples); });
    if (values == nullptr) {
      continue;
    }
    for (uint32_t channel = 0; channel < DETECTOR_CHANNELS; ++channel) {
      quantized[channel] = is_quiet ? static_cast<int8_t>(-128) : DetectorQuantize(values[channel]);
    }
    n_wrong += std::memcmp(quantized, &kDetectorGoldenFrames[n_frames++ * DETECTOR_CHANNELS], DETECTOR_CHANNELS) != 0;
    const bool runs = listener.network()->get()->frames + 1 == DETECTOR_STEP_FRAMES;
    (runs ? step : frame).Measure([&] {
#if LISTENER_SECOND_STAGE
      has_output = DetectorNetworkPush(listener.network()->get(), quantized, &output);
      DetectorSecondStagePush(stage, quantized);
    });
    if (has_output) {
      // As DetectorCascadePush does, but also run where the first stage does not ask for it.
      const bool is_wanted = output + 128 >= DETECTOR_WANTED_ABOVE;
      second.Measure([&] { output = DetectorSecondStageRun(stage); });
      n_wrong += output != kDetectorGoldenSecondStage[n_outputs];
      output = is_wanted ? output : static_cast<int8_t>(-128);
      DetectorGateStep(&gate, output);
    }
#else
      has_output = listener.network()->Push(quantized, &output);
      if (has_output) {
        DetectorGateStep(&gate, output);
      }
    });
#endif
    if (has_output) {
      n_wrong += output != kGoldenOutputs[n_outputs] || gate.is_music != kGoldenIsMusic[n_outputs];
      ++n_outputs;
    }
  }
  n_wrong += n_frames != DETECTOR_GOLDEN_FRAMES || n_outputs != DETECTOR_GOLDEN_OUTPUTS;
  char text[200];
  std::snprintf(text, sizeof text,
                "{\n  \"check\": %u, \"frames\": %u, \"outputs\": %u, \"different\": %u,\n  \"heap_bytes\": %u, "
                "\"network_bytes\": %u, \"ring_bytes\": %u,\n",
                static_cast<unsigned>(result), static_cast<unsigned>(n_frames), static_cast<unsigned>(n_outputs),
                static_cast<unsigned>(n_wrong), static_cast<unsigned>(heap_end - &end),
                static_cast<unsigned>(sizeof(DetectorNetwork)), static_cast<unsigned>(sizeof(DetectorRing)));
  Semihost(4, text);
  record.Print(",");
  features.Print(",");
  frame.Print(",");
#if LISTENER_SECOND_STAGE
  step.Print(",");
  std::snprintf(text, sizeof text, "  \"second_stage_bytes\": %u,\n", static_cast<unsigned>(sizeof(DetectorSecondStage)));
  Semihost(4, text);
  second.Print("");
#else
  step.Print("");
#endif
  Semihost(4, "}\n");
  return result != 0 || n_wrong != 0;
}
