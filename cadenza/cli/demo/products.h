#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cadenza/base/progress.h"
#include "cadenza/dataset/sample.h"

namespace cadenza {

/// Lays out solar cells as two products, `solar_mono` and `solar_poly`, in MVTec's tree below `out`
/// (links to the files of the unpacked elpv-dataset wheel, nothing is copied), and returns them.
///
/// A cell is normal where the authors give the defect probability 0 and defective at 1; those
/// between are left out. Train and test cells come from disjoint ranges of the cell number, since
/// neighbours are cells of one module.
/// Errors   kNotFound, kCorruptData: `elpv` does not hold what the wheel holds.
/// Source   Buerhop-Lutz et al., EU PVSEC 2018; Deitsch et al., Solar Energy 2019 (CC
/// BY-NC-SA 4.0).
std::vector<Sample> write_solar_cells(const std::filesystem::path& elpv,
                                      const std::filesystem::path& out);

/// Cuts 128x128 px products out of scikit-image's CC0 photographs brick.png, gravel.png and
/// grass.png: training crops from the left five eighths, test crops from the right three eighths.
/// Every second test crop of brick and gravel gets a drawn defect (scratch, stain or misplaced
/// patch) and its mask; grass has test images only. Same files at every run. Returns them.
/// Errors   kNotFound: a photograph is missing.
std::vector<Sample> write_textures(const std::filesystem::path& photographs,
                                   const std::filesystem::path& out, Progress& progress);

}  // namespace cadenza
