/* Vectors and reset of a Cortex-M for measure.cc: clears memory, runs constructors, calls main, ends the emulator. */
#include <stdint.h>

extern uint32_t stack_top, __bss_start__, __bss_end__;
extern void (*__init_array_start[])(void);
extern void (*__init_array_end[])(void);
int main(void);
void Reset(void);
void SemihostExit(int failed);

static void Fault(void) { SemihostExit(1); }

void Reset(void) {
  for (uint32_t* word = &__bss_start__; word < &__bss_end__; ++word) {
    *word = 0U;
  }
  for (void (**constructor)(void) = __init_array_start; constructor < __init_array_end; ++constructor) {
    (*constructor)();
  }
  SemihostExit(main());
}

__attribute__((section(".vectors"), used)) static void* const vectors[16] = {
    &stack_top, (void*)Reset, (void*)Fault, (void*)Fault, (void*)Fault, (void*)Fault, (void*)Fault, 0,
    0,          0,            0,            (void*)Fault, (void*)Fault, 0,            (void*)Fault, (void*)Fault,
};
