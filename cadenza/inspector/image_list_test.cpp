#include "cadenza/inspector/image_list.h"

#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cadenza/base/file.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ListImages : public ::testing::Test {
 protected:
  fs::path put(const std::string& name) {
    const fs::path file = folder_.path() / name;
    fs::create_directories(file.parent_path());
    write_file_atomic(file, name);
    return file;
  }
  /// Listed files relative to the folder.
  static std::vector<std::string> names(const ImageList& list, const fs::path& root) {
    std::vector<std::string> all;
    for (const auto& file : list.files) all.push_back(file.lexically_relative(root).string());
    return all;
  }
  ImageList list() const { return list_images(std::vector{folder_.path()}); }

  TemporaryFolder folder_;
};

TEST_F(ListImages, FoldersWithAllBelowSortedByTheirBytes) {
  for (const auto* name : {"b.png", "a/z.JPG", "B.tif", "a/ü 1.webp", "a/y.jpeg", "c.bmp"}) {
    put(name);
  }
  put("notes.txt");
  put("a/Thumbs.db");
  EXPECT_THAT(names(list(), folder_.path()),
              ElementsAre("B.tif", "a/y.jpeg", "a/z.JPG", "a/ü 1.webp", "b.png", "c.bmp"));
  EXPECT_EQ(list().n_skipped, 2);
}

TEST_F(ListImages, NamedFilesAreTakenInTheirOrderWhateverTheyAreCalled) {
  const auto second = put("b.png"), first = put("a.dat");
  EXPECT_THAT(list_images(std::vector{second, first}).files, ElementsAre(second, first));
}

TEST_F(ListImages, EachRealFileOnceAndLoopsAreNoted) {
  put("a/1.png");
  fs::create_symlink(folder_.path() / "a" / "1.png", folder_.path() / "b.png");
  fs::create_directory_symlink(folder_.path(), folder_.path() / "a" / "loop");
  fs::create_symlink("self.png", folder_.path() / "self.png");
  const auto found = list();
  EXPECT_THAT(names(found, folder_.path()), ElementsAre("a/1.png"));
  ASSERT_EQ(found.notes.size(), 3);
  EXPECT_THAT(found.notes[0], HasSubstr("a/loop: a link back to a folder above it"));
  EXPECT_THAT(found.notes[1], HasSubstr("b.png: the same file as one before"));
  EXPECT_THAT(found.notes[2], HasSubstr("self.png: a link to itself"));
}

TEST_F(ListImages, LinkedFoldersAreFollowed) {
  const TemporaryFolder other;
  write_file_atomic(other.path() / "x.png", "x");
  fs::create_directory_symlink(other.path(), folder_.path() / "linked");
  EXPECT_THAT(names(list(), folder_.path()), ElementsAre("linked/x.png"));
}

TEST_F(ListImages, WhatCannotBeListedIsAFailureAndTheRestIsListed) {
  const auto good = put("good.png");
  const auto found = list_images(std::vector{folder_.path() / "none.png", good});
  EXPECT_THAT(found.files, ElementsAre(good));
  ASSERT_EQ(found.failures.size(), 1);
  EXPECT_EQ(found.failures[0].error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(found.failures[0].error.what(), HasSubstr("none.png: no such file or folder"));
}

TEST_F(ListImages, AFolderThatMayNotBeReadIsAFailure) {
  put("a.png");
  put("locked/b.png");
  fs::permissions(folder_.path() / "locked", fs::perms::none);
  fs::permissions(folder_.path(), fs::perms::all);
  if (::geteuid() == 0 && ::seteuid(65534) != 0) GTEST_SKIP() << "skipped: cannot become nobody";
  const ImageList found = list();
  if (::getuid() == 0) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  fs::permissions(folder_.path() / "locked", fs::perms::all);
  EXPECT_THAT(names(found, folder_.path()), ElementsAre("a.png"));
  ASSERT_EQ(found.failures.size(), 1);
  EXPECT_EQ(found.failures[0].error.code(), ErrorCode::kIo);
  EXPECT_THAT(found.failures[0].error.what(), HasSubstr("locked: Permission denied"));
}

}  // namespace
}  // namespace cadenza
