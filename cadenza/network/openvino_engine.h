#pragma once

#include <memory>
#include <string>

#include "cadenza/network/engine.h"

namespace cadenza {

/// The fast path for frozen networks on CPUs: the graph compiled by OpenVINO.
///
/// A call of B images runs as compiled batches of 8 and single images: models of a fixed batch are
/// up to 14 % faster than one of any batch, and each is compiled at its first use (0.1 to 0.4 s).
/// The numbers of an image do not depend on its batch, on threads or on streams: bit for bit on one
/// machine.
///
/// Threads  calls run side by side; each takes its own inference request from a free list.
std::unique_ptr<Engine> make_openvino_engine(Graph graph, std::shared_ptr<const Weights> weights,
                                             const EngineOptions& options);

/// "2026.4.1": of the library that this program was built with.
std::string openvino_version();

}  // namespace cadenza
