// Stands for TensorFlow Lite Micro in tests: the part of its interface that the firmware example uses. The test runs the graphs
// and answers over two pipes, whose numbers are in the environment. As the real interpreter does, a run overwrites its inputs.
#ifndef TENSORFLOW_LITE_MICRO_MICRO_INTERPRETER_H_
#define TENSORFLOW_LITE_MICRO_MICRO_INTERPRETER_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

struct TfLiteTensor {
  struct {
    int8_t* int8;
  } data;
  std::size_t bytes;
};

namespace tflite {

struct Model;

inline const Model* GetModel(const void* buffer) { return static_cast<const Model*>(buffer); }

struct MicroOpResolver {
  std::string names;
};

class MicroInterpreter {
 public:
  MicroInterpreter(const Model*, const MicroOpResolver& resolver, uint8_t* arena, std::size_t arena_bytes)
      : number_(Count()++), resolver_(resolver), arena_(reinterpret_cast<int8_t*>(arena)), arena_bytes_(arena_bytes) {}

  TfLiteStatus AllocateTensors() {
    std::fprintf(Requests(), "allocate %d %zu%s\n", number_, arena_bytes_, resolver_.names.c_str());
    std::fflush(Requests());
    const bool fits = Place(&inputs_) && Place(&outputs_) && reinterpret_cast<uintptr_t>(arena_) % 16 == 0;
    return fits ? kTfLiteOk : kTfLiteError;
  }

  TfLiteStatus Invoke() {
    std::fprintf(Requests(), "invoke %d\n", number_);
    for (const TfLiteTensor& one : inputs_) {
      std::fwrite(one.data.int8, 1, one.bytes, Requests());
    }
    std::fflush(Requests());
    for (const TfLiteTensor& one : inputs_) {
      std::memset(one.data.int8, 0x55, one.bytes);
    }
    bool is_read = true;
    for (const TfLiteTensor& one : outputs_) {
      is_read = is_read && std::fread(one.data.int8, 1, one.bytes, Answers()) == one.bytes;
    }
    return is_read ? kTfLiteOk : kTfLiteError;
  }

  TfLiteTensor* input(std::size_t number) { return &inputs_[number]; }
  TfLiteTensor* output(std::size_t number) { return &outputs_[number]; }
  std::size_t arena_used_bytes() const { return used_; }

 private:
  static int& Count() {
    static int count = 0;
    return count;
  }
  static std::FILE* Requests() {
    static std::FILE* const file = fdopen(std::atoi(std::getenv("MICRO_REQUESTS")), "wb");
    return file;
  }
  static std::FILE* Answers() {
    static std::FILE* const file = fdopen(std::atoi(std::getenv("MICRO_ANSWERS")), "rb");
    return file;
  }

  // Reads a line of sizes, and gives each tensor a place in the arena.
  bool Place(std::vector<TfLiteTensor>* tensors) {
    std::size_t count = 0;
    if (std::fscanf(Answers(), "%zu", &count) != 1) {
      return false;
    }
    tensors->clear();
    for (; count > 0; --count) {
      std::size_t bytes = 0;
      if (std::fscanf(Answers(), "%zu", &bytes) != 1 || used_ + bytes > arena_bytes_) {
        return false;
      }
      tensors->push_back({{arena_ + used_}, bytes});
      used_ += (bytes + 15) / 16 * 16;
    }
    return std::fgetc(Answers()) == '\n';
  }

  int number_;
  const MicroOpResolver& resolver_;
  int8_t* arena_;
  std::size_t arena_bytes_;
  std::size_t used_ = 0;
  std::vector<TfLiteTensor> inputs_, outputs_;
};

}  // namespace tflite

#endif  // TENSORFLOW_LITE_MICRO_MICRO_INTERPRETER_H_
