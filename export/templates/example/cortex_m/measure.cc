// On an emulated Cortex-M4: checks the build against the golden vectors, counts instructions and the deepest stack of every
// part, and prints them as JSON. With `-icount shift=0` QEMU's clock moves one nanosecond for each instruction, and the board's
// SysTick counts one step in 40 ns, so a difference of steps is 40 instructions. Instructions are not cycles.
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "../../detector_golden.h"
#include "../listener.h"

extern "C" {
extern char end;  // of all variables: where the heap begins
void SemihostExit(int failed);
void* _sbrk(int n_bytes);
void* __dso_handle = nullptr;  // nothing is ever unloaded
}

namespace {

int Semihost(int operation, const void* argument) {
  register int r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

uint32_t volatile* const kSysTick = reinterpret_cast<uint32_t volatile*>(0xE000E010);
constexpr uint32_t kInstructionsPerTick = 40;
constexpr uint32_t kPattern = 0x5AA5C33C;
constexpr uint32_t kPainted = 8192;  // words below the caller's stack

Listener listener;
char* heap_end = &end;

uint32_t Now() { return kSysTick[2]; }

// Calls a part, and keeps the most instructions and the deepest stack of all calls.
struct Cost {
  const char* name;
  uint64_t instructions;
  uint32_t calls;
  uint32_t most;
  uint32_t stack;

  template <typename Part>
  __attribute__((noinline)) void Measure(Part part) {
    uint32_t* here;
    __asm__ volatile("mov %0, sp" : "=r"(here));
    for (uint32_t* word = here - kPainted; word < here; ++word) {
      *word = kPattern;
    }
    const uint32_t before = Now();
    part();
    const uint32_t n = ((before - Now()) & 0xFFFFFF) * kInstructionsPerTick;
    uint32_t depth = kPainted;
    for (const uint32_t* word = here - kPainted; depth > 0 && *word == kPattern; ++word) {
      --depth;
    }
    instructions += n;
    ++calls;
    most = n > most ? n : most;
    stack = 4 * depth > stack ? 4 * depth : stack;
  }

  void Print(const char* after) const {
    char text[160];
    std::snprintf(text, sizeof text, "  \"%s\": {\"calls\": %u, \"mean\": %u, \"most\": %u, \"stack_bytes\": %u}%s\n", name,
                  static_cast<unsigned>(calls), static_cast<unsigned>(instructions / calls), static_cast<unsigned>(most),
                  static_cast<unsigned>(stack), after);
    Semihost(4, text);
  }
};

}  // namespace

extern "C" void SemihostExit(int failed) {
  const uint32_t reason[2] = {0x20026, static_cast<uint32_t>(failed)};  // ADP_Stopped_ApplicationExit
  Semihost(0x20, reason);
  for (;;) {
  }
}

// The heap lies between the variables and the stack.
extern "C" void* _sbrk(int n_bytes) {
  char* const before = heap_end;
  heap_end += n_bytes;
  return before;
}

int main() {
  kSysTick[1] = 0xFFFFFF;
  kSysTick[2] = 0;
  kSysTick[0] = 5;  // on, with the processor's clock
  const uint32_t result = DetectorCheck(listener.network()->get(), listener.ring());
  if (!listener.Begin()) {
    return 3;
  }
  Cost record = {"record", 0, 0, 0, 0}, features = {"front_end", 0, 0, 0, 0}, frame = {"frame", 0, 0, 0, 0};
  Cost step = {"network_step", 0, 0, 0, 0};
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
      has_output = listener.network()->Push(quantized, &output);
      if (has_output) {
        DetectorGateStep(&gate, output);
      }
    });
    if (has_output) {
      n_wrong += output != kDetectorGoldenOutputs[n_outputs] || gate.is_music != kDetectorGoldenIsMusic[n_outputs];
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
  step.Print("");
  Semihost(4, "}\n");
  return result != 0 || n_wrong != 0;
}
