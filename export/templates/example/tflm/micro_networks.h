// The detector's networks in the interpreter of TensorFlow Lite Micro, with the same calls as those in plain C.
#ifndef MICRO_NETWORKS_H_
#define MICRO_NETWORKS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "../../detector_dsp.h"
#include "../../detector_model.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#if __has_include("../../detector_second_stage.h")
#include "../../detector_second_stage.h"
#include "../../detector_second_stage_model.h"
#define MICRO_SECOND_STAGE 1
#else
#define MICRO_SECOND_STAGE 0
#endif

// CMSIS-NN wants working memory beside the tensors, as other kernels may; 0 for the reference kernels.
#ifndef MICRO_EXTRA_BYTES
#define MICRO_EXTRA_BYTES 0
#endif

#define MICRO_ADD(Operation) &&graph_.operations()->Add##Operation() == kTfLiteOk

// A graph, the operations that it needs, and its arena. All memory is static.
template <unsigned int kOperations, std::size_t kArenaBytes>
class MicroGraph {
 public:
  explicit MicroGraph(const uint8_t* model) : interpreter_(tflite::GetModel(model), operations_, arena_, kArenaBytes) {}

  tflite::MicroMutableOpResolver<kOperations>* operations() { return &operations_; }
  bool Allocate() { return interpreter_.AllocateTensors() == kTfLiteOk; }
  bool Invoke() { return interpreter_.Invoke() == kTfLiteOk; }
  int8_t* input(std::size_t number) { return interpreter_.input(number)->data.int8; }
  const TfLiteTensor* output(std::size_t number) { return interpreter_.output(number); }
  std::size_t used_bytes() const { return interpreter_.arena_used_bytes(); }

 private:
  tflite::MicroMutableOpResolver<kOperations> operations_;
  alignas(16) uint8_t arena_[kArenaBytes];
  tflite::MicroInterpreter interpreter_;
};

// The first stage: all states are its inputs and outputs. They are kept here, because the interpreter reuses the memory of
// inputs for other tensors.
class MicroNetwork {
 public:
  // Begins a new stream. False where the arena is too small, or an operation is missing.
  bool Begin() {
    is_ready_ = is_ready_ || (true DETECTOR_OPERATORS(MICRO_ADD) && graph_.Allocate());
    std::memset(frames_, -128, sizeof frames_);
    std::memset(states_, -128, sizeof states_);
    n_frames_ = DETECTOR_SILENT_FRAMES;
    n_steps_ = 0;
    return is_ready_;
  }

  bool Push(const int8_t frame[DETECTOR_CHANNELS], int8_t* output) {
    std::memcpy(&frames_[(DETECTOR_KEPT_FRAMES + n_frames_) * DETECTOR_CHANNELS], frame, DETECTOR_CHANNELS);
    ++n_frames_;
    if (n_frames_ < DETECTOR_STEP_FRAMES) {
      return false;
    }
    n_frames_ = 0;
    *output = Step();
    n_steps_ += n_steps_ < DETECTOR_FIRST_STEP ? 1 : 0;
    return n_steps_ == DETECTOR_FIRST_STEP;
  }

  // Whether the next frame ends a step.
  bool is_due() const { return n_frames_ + 1 == DETECTOR_STEP_FRAMES; }
  std::size_t arena_used_bytes() const { return graph_.used_bytes(); }

 private:
  int8_t Step() {
    std::memcpy(graph_.input(0), frames_, sizeof frames_);
    int8_t* state = states_;
    for (uint32_t i = 0; i < DETECTOR_STATES; state += kDetectorStateBytes[i++]) {
      std::memcpy(graph_.input(1 + i), state, kDetectorStateBytes[i]);
    }
    if (!graph_.Invoke()) {
      return -128;
    }
    state = states_;
    for (uint32_t i = 0; i < DETECTOR_STATES; state += kDetectorStateBytes[i++]) {
      const TfLiteTensor* all = graph_.output(1 + i);
      std::memcpy(state, all->data.int8 + all->bytes - kDetectorStateBytes[i], kDetectorStateBytes[i]);
    }
    std::memmove(frames_, &frames_[DETECTOR_STEP_FRAMES * DETECTOR_CHANNELS], DETECTOR_KEPT_FRAMES * DETECTOR_CHANNELS);
    return graph_.output(0)->data.int8[0];
  }

  MicroGraph<DETECTOR_OPERATOR_COUNT, DETECTOR_ARENA_BYTES + MICRO_EXTRA_BYTES> graph_{kDetectorModel};
  int8_t frames_[(DETECTOR_KEPT_FRAMES + DETECTOR_STEP_FRAMES) * DETECTOR_CHANNELS];
  int8_t states_[DETECTOR_ALL_STATES_BYTES];
  uint32_t n_frames_ = 0;
  uint32_t n_steps_ = 0;
  bool is_ready_ = false;
};

#if MICRO_SECOND_STAGE
// The second stage, and the ring of frames that it reads.
class MicroSecondStage {
 public:
  bool Begin() {
    is_ready_ = is_ready_ || (true DETECTOR_SECOND_STAGE_OPERATORS(MICRO_ADD) && graph_.Allocate());
    std::memset(frames_, -128, sizeof frames_);
    next_ = 0;
    return is_ready_;
  }

  void Push(const int8_t frame[DETECTOR_CHANNELS]) {
    std::memcpy(&frames_[next_ * DETECTOR_CHANNELS], frame, DETECTOR_CHANNELS);
    next_ = (next_ + 1) % DETECTOR_SECOND_STAGE_FRAMES;
  }

  int8_t Run() {
    const uint32_t n_newest = next_ * DETECTOR_CHANNELS;
    const uint32_t n_oldest = static_cast<uint32_t>(sizeof frames_) - n_newest;
    std::memcpy(graph_.input(0), &frames_[n_newest], n_oldest);
    std::memcpy(graph_.input(0) + n_oldest, frames_, n_newest);
    return graph_.Invoke() ? graph_.output(0)->data.int8[0] : static_cast<int8_t>(-128);
  }

  std::size_t arena_used_bytes() const { return graph_.used_bytes(); }

 private:
  MicroGraph<DETECTOR_SECOND_STAGE_OPERATOR_COUNT, DETECTOR_SECOND_STAGE_ARENA_BYTES + MICRO_EXTRA_BYTES> graph_{
      kDetectorSecondStageModel};
  int8_t frames_[DETECTOR_SECOND_STAGE_FRAMES * DETECTOR_CHANNELS];
  uint32_t next_ = 0;
  bool is_ready_ = false;
};
#endif

// All stages that the export has.
class MicroStages {
 public:
  bool Begin() {
#if MICRO_SECOND_STAGE
    return first_.Begin() && second_.Begin();
#else
    return first_.Begin();
#endif
  }

  // True after every DETECTOR_STEP_FRAMES frames, with the output for the gate.
  bool Push(const int8_t frame[DETECTOR_CHANNELS], int8_t* output) {
    const bool has_output = first_.Push(frame, output);
#if MICRO_SECOND_STAGE
    second_.Push(frame);
    if (has_output) {
      *output = *output + 128 >= DETECTOR_WANTED_ABOVE ? second_.Run() : static_cast<int8_t>(-128);
    }
#endif
    return has_output;
  }

  MicroNetwork* first() { return &first_; }
#if MICRO_SECOND_STAGE
  MicroSecondStage* second() { return &second_; }
#endif

 private:
  MicroNetwork first_;
#if MICRO_SECOND_STAGE
  MicroSecondStage second_;
#endif
};

#endif  // MICRO_NETWORKS_H_
