// On an emulated Cortex-M4: the stages in TensorFlow Lite Micro on the golden frames. Prints as JSON how many outputs differ from
// the golden ones, the arenas, and each part's instructions and deepest stack.
#include <cstdint>
#include <cstdio>

#include "../../detector_golden.h"
#include "../cortex_m/emulator.h"
#include "micro_networks.h"
#if MICRO_SECOND_STAGE
#include "../../detector_second_stage_golden.h"
#endif

namespace {

MicroStages stages;

void PrintStage(const char* name, unsigned arena, unsigned used, unsigned different) {
  char text[160];
  std::snprintf(text, sizeof text, "  \"%s_arena_bytes\": %u, \"%s_arena_used_bytes\": %u, \"%s_different\": %u,\n", name, arena,
                name, used, name, different);
  Semihost(4, text);
}

}  // namespace

int main() {
  StartClock();
  Cost begin = {"begin", 0, 0, 0, 0}, first = {"first_stage", 0, 0, 0, 0};
  bool is_ready = false;
  begin.Measure([&] { is_ready = stages.Begin(); });
  if (!is_ready) {
    Semihost(4, "an arena is too small, or an operation is missing\n");
    return 3;
  }
#if MICRO_SECOND_STAGE
  Cost second = {"second_stage", 0, 0, 0, 0};
  uint32_t n_wrong_second = 0;
#endif
  uint32_t n = 0, n_wrong = 0;
  for (uint32_t number = 0; number < DETECTOR_GOLDEN_FRAMES; ++number) {
    const int8_t* frame = &kDetectorGoldenFrames[number * DETECTOR_CHANNELS];
    int8_t output = 0;
    bool has_output = false;
    if (stages.first()->is_due()) {
      first.Measure([&] { has_output = stages.first()->Push(frame, &output); });
    } else {
      stages.first()->Push(frame, &output);
    }
    n_wrong += has_output && output != kDetectorGoldenOutputs[n];
#if MICRO_SECOND_STAGE
    stages.second()->Push(frame);
    if (has_output) {
      second.Measure([&] { output = stages.second()->Run(); });
      n_wrong_second += output != kDetectorGoldenSecondStage[n];
    }
#endif
    n += has_output ? 1 : 0;
  }
  n_wrong += n != DETECTOR_GOLDEN_OUTPUTS;
  char text[80];
  std::snprintf(text, sizeof text, "{\n  \"outputs\": %u,\n", static_cast<unsigned>(n));
  Semihost(4, text);
  PrintStage("first_stage", DETECTOR_ARENA_BYTES + MICRO_EXTRA_BYTES,
             static_cast<unsigned>(stages.first()->arena_used_bytes()), static_cast<unsigned>(n_wrong));
#if MICRO_SECOND_STAGE
  PrintStage("second_stage", DETECTOR_SECOND_STAGE_ARENA_BYTES + MICRO_EXTRA_BYTES,
             static_cast<unsigned>(stages.second()->arena_used_bytes()), static_cast<unsigned>(n_wrong_second));
  second.Print(",");
  n_wrong += n_wrong_second;
#endif
  first.Print(",");
  begin.Print("");
  Semihost(4, "}\n");
  return n_wrong != 0;
}
