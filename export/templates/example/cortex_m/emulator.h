// What a program in QEMU needs: output, a heap, and the cost of its parts. With `-icount shift=0` QEMU's clock moves one
// nanosecond for each instruction, and the board's SysTick counts one step in 40 ns, so a difference of steps is 40 instructions.
// Instructions are not cycles. Included by one file of a program.
#ifndef EMULATOR_H_
#define EMULATOR_H_

#include <cstdint>
#include <cstdio>

extern "C" {
extern char end;  // of all variables: where the heap begins
void SemihostExit(int failed);
void* _sbrk(int n_bytes);
void* __dso_handle = nullptr;  // nothing is ever unloaded
}

namespace {

inline int Semihost(int operation, const void* argument) {
  register int r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

uint32_t volatile* const kSysTick = reinterpret_cast<uint32_t volatile*>(0xE000E010);
constexpr uint32_t kInstructionsPerTick = 40;
constexpr uint32_t kPattern = 0x5AA5C33C;
constexpr uint32_t kPainted = 8192;  // words below the caller's stack

char* heap_end = &end;

inline void StartClock() {
  kSysTick[1] = 0xFFFFFF;
  kSysTick[2] = 0;
  kSysTick[0] = 5;  // on, with the processor's clock
}

inline uint32_t Now() { return kSysTick[2]; }

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

#endif  // EMULATOR_H_
